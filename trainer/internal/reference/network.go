// Package reference is a second implementation of the networks and losses of a training step,
// written from ALGORITHM.md in float64, one number at a time. Only tests import it, to compare the
// real code with it. It shares no code with that, except for the random numbers of test rows. It
// also reads the numbers that scripts recorded from PyTorch.
package reference

import (
	"fmt"
	"math"
)

// Params returns the values of a named parameter, row-major.
type Params func(name string) []float64

// SiLU is x sigmoid(x).
func SiLU(x float64) float64 { return x / (1 + math.Exp(-x)) }

// linear is y = x W + b, where W has len(x) rows.
func linear(p Params, name string, x []float64) []float64 {
	w, b := p(name+".weight"), p(name+".bias")
	y := make([]float64, len(b))
	for j := range y {
		y[j] = b[j]
		for i, v := range x {
			y[j] += v * w[i*len(b)+j]
		}
	}
	return y
}

func silu(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = SiLU(v)
	}
	return y
}

func add(x, y []float64) []float64 {
	s := make([]float64, len(x))
	for i := range s {
		s[i] = x[i] + y[i]
	}
	return s
}

// MLP is g_phi(z): linear layers with SiLU between them.
func MLP(p Params, layers int, z []float64) []float64 {
	for l := range layers {
		if l > 0 {
			z = silu(z)
		}
		z = linear(p, fmt.Sprintf("layer%d", l), z)
	}
	return z
}

// Conditioned returns the parameters of a network that reads the condition c, for the functions
// here, which read none: its linear layer of c adds to the bias of the named layer. Without c they
// are p.
func Conditioned(p Params, layer string, c []float64) Params {
	if c == nil {
		return p
	}
	return func(name string) []float64 {
		if name == layer+".bias" {
			return add(p(name), linear(p, "condition", c))
		}
		return p(name)
	}
}

// Encoder returns the mean and the log-variance of q(z|x): the two halves of an MLP's output, the
// second bounded to (-20, 20) by y / sqrt(1 + (y/20)^2).
func Encoder(p Params, layers int, x []float64) (mean, logvar []float64) {
	y := MLP(p, layers, x)
	d := len(y) / 2
	for _, v := range y[d:] {
		logvar = append(logvar, v/math.Hypot(1, v/20))
	}
	return y[:d], logvar
}

// Score is the shape of the residual score network.
type Score struct{ Blocks, Features int }

// Residual is r_theta(z, lambda).
func (s Score) Residual(p Params, z []float64, lambda float64) []float64 {
	emb := linear(p, "emb2", silu(linear(p, "emb1", s.sinusoids(lambda))))
	h := linear(p, "in", z)
	for l := range s.Blocks {
		u := linear(p, fmt.Sprintf("block%d.w1", l), silu(add(h, emb)))
		h = add(h, linear(p, fmt.Sprintf("block%d.w2", l), silu(u)))
	}
	return linear(p, "out", h)
}

// sinusoids are the sines, then the cosines, of lambda times frequencies spaced geometrically from
// 0.05 to 5.
func (s Score) sinusoids(lambda float64) []float64 {
	half := s.Features / 2
	f := make([]float64, s.Features)
	for k := range half {
		w := 0.05
		if half > 1 {
			w *= math.Pow(100, float64(k)/float64(half-1))
		}
		f[k], f[half+k] = math.Sincos(w * lambda)
	}
	return f
}
