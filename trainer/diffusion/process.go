// Package diffusion is the variance-preserving diffusion over latents: the process in the log-SNR
// lambda (Process), the bound on -log p_theta(z) that particles and score network descend (Bound),
// and the samplers (Walk), to which the score network comes as a function.
package diffusion

import (
	"math"

	"github.com/plume-ml/plume/kernel"
)

// Process is z_lambda = alpha z + sigma eps with alpha^2 = sigmoid(lambda), sigma^2 =
// sigmoid(-lambda), eps ~ N(0, I), for lambda from Max (clean) down to Min (noise).
type Process struct{ Min, Max float64 }

// Alpha is the factor of the signal at lambda.
func Alpha(lambda float64) float64 { return 1 / math.Sqrt(1+math.Exp(-lambda)) }

// Sigma is the standard deviation of the noise at lambda.
func Sigma(lambda float64) float64 { return Alpha(-lambda) }

// Span is the length of the range of lambda.
func (p Process) Span() float64 { return p.Max - p.Min }

// Constant is the part of l_theta(z) that depends neither on z nor on theta, for d latent
// dimensions, in nats. It comes from the Kullback-Leibler divergence to N(0, I) at lambda_min and
// from the last, nearly noiseless step.
func (p Process) Constant(d int) float64 {
	s2min := math.Pow(Sigma(p.Min), 2)
	s2max, a2max := math.Pow(Sigma(p.Max), 2), math.Pow(Alpha(p.Max), 2)
	return float64(d) / 2 * (s2min - 1 - math.Log(s2min) + math.Log(2*math.Pi*s2max/a2max) + 1)
}

// Streams of the noise that this package draws with its caller's keys (trainer/ALGORITHM.md,
// section 9).
const (
	StreamScoreNoise  kernel.Stream = 4  // eps of the prior loss
	StreamLambda      kernel.Stream = 5  // levels of the prior loss
	StreamSamplePrior kernel.Stream = 8  // samples: z at lambda_min
	StreamSampleNoise kernel.Stream = 9  // samples: noise of the ancestral sampler
	StreamDiagNoise   kernel.Stream = 11 // eps, or an encoder's draws, of diagnostics and inference
	StreamDiagLambda  kernel.Stream = 12 // levels of diagnostics and inference
)
