package config

import (
	"fmt"
	"math"
	"slices"
)

// Largest accepted sizes.
const (
	maxWidth  = 1 << 16
	maxBlocks = 1 << 10
	maxLambda = 40 // exp(-40) is far above the smallest float32: alpha and sigma stay normal
)

func (o *Options) networkKeys() []Key {
	width := between(1, maxWidth)
	return group("Networks",
		intKey(&o.Latent, "latent", 32, width, "latent dimensions d"),
		floatKey(&o.ObsNoise, "obs_noise", 0.2, both(positive, invertible),
			"sigma_x, standard deviation of a pixel given its latent (pixels span [-1, 1])"),
		intsKey(&o.DecoderWidths, "decoder_widths", []int{256, 512}, widths,
			"hidden widths of the decoder MLP, latent side first"),
		intsKey(&o.EncoderWidths, "encoder_widths", []int{512, 256}, widths,
			"hidden widths of the encoder MLP, image side first (variational methods)"),
		intKey(&o.ScoreWidth, "score_width", 256, width,
			"width of the score network (4 d or more)"),
		intKey(&o.ScoreBlocks, "score_blocks", 3, between(1, maxBlocks),
			"residual blocks of the score network"),
		intKey(&o.ScoreFeatures, "score_features", 64, evenWidth,
			"sinusoidal features of the log-SNR lambda (even)"),
		floatKey(&o.LambdaMin, "lambda_min", -10, logSNR,
			"log-SNR of the noisy end of the diffusion"),
		floatKey(&o.LambdaMax, "lambda_max", 10, logSNR,
			"log-SNR of the clean end of the diffusion"),
	)
}

var invertible = expect("at least 1e-19: 1/obs_noise^2 overflows in single precision",
	func(v float64) bool { return v >= 1e-19 })

var evenWidth = expect(fmt.Sprintf("an even integer in [2, %d]", maxWidth),
	func(n int) bool { return 2 <= n && n <= maxWidth && n%2 == 0 })

var widths = expect(fmt.Sprintf("integers in [1, %d]", maxWidth), func(list []int) bool {
	return !slices.ContainsFunc(list, func(n int) bool { return n < 1 || n > maxWidth })
})

var logSNR = expect(fmt.Sprintf("a number in [%d, %d]", -maxLambda, maxLambda),
	func(v float64) bool { return math.Abs(v) <= maxLambda })

func (o Options) checkNetworks(p *Problems) {
	p.Expect(!(o.LambdaMin >= o.LambdaMax), "lambda_min", o.LambdaMin,
		fmt.Sprintf("a number below lambda_max = %v", o.LambdaMax))
}
