package reference

import (
	"fmt"
	"math"
	"slices"
)

// Attention is the attention of the pixels of a row to each other: x is [q | k | v] for each pixel,
// y the given number of channels.
func Attention(x []float64, pixels, channels, heads int) (y []float64) {
	y = make([]float64, pixels*channels)
	d := channels / heads
	at := func(part, pixel, c int) float64 { return x[(3*pixel+part)*channels+c] }
	for first := 0; first < channels; first += d {
		for i := range pixels {
			var sum float64
			out := y[i*channels+first:][:d]
			for j := range pixels {
				var s float64
				for c := range d {
					s += at(0, i, first+c) * at(1, j, first+c)
				}
				p := math.Exp(s / math.Sqrt(float64(d)))
				sum += p
				for c := range out {
					out[c] += p * at(2, j, first+c)
				}
			}
			for c := range out {
				out[c] /= sum
			}
		}
	}
	return y
}

// Transformer is the shape of a transformer that predicts a residual score, with as many tokens as
// a latent has pixels.
type Transformer struct{ Pixels, Blocks, Heads, Features int }

// Residual is r_theta(z, lambda), given a condition, or nil.
func (s Transformer) Residual(
	p Params, z []float64, lambda float64, condition []float64,
) []float64 {
	e := linear(p, "emb2", silu(linear(p, "emb1", Score{Features: s.Features}.sinusoids(lambda))))
	if condition != nil {
		e = add(e, linear(p, "condition", condition))
	}
	e = silu(e)
	h := add(s.tokens(z, func(z []float64) []float64 { return linear(p, "in", z) }),
		p("positions.bias"))
	for l := range s.Blocks {
		name := fmt.Sprintf("block%d.attention", l)
		u := s.tokens(h, func(h []float64) []float64 {
			return linear(p, name+".qkv", modulated(p, name, h, e))
		})
		u = Attention(u, s.Pixels, len(h)/s.Pixels, s.Heads)
		u = s.tokens(u, func(u []float64) []float64 {
			return gated(p, name, linear(p, name+".proj", u), e)
		})
		h = add(h, u)
		name = fmt.Sprintf("block%d.mlp", l)
		h = add(h, s.tokens(h, func(h []float64) []float64 {
			u := silu(linear(p, name+".w1", modulated(p, name, h, e)))
			return gated(p, name, linear(p, name+".w2", u), e)
		}))
	}
	return s.tokens(h, func(h []float64) []float64 {
		return linear(p, "out", modulated(p, "out", h, e))
	})
}

// tokens applies f to each token of x.
func (s Transformer) tokens(x []float64, f func(token []float64) []float64) (y []float64) {
	for token := range slices.Chunk(x, len(x)/s.Pixels) {
		y = append(y, f(token)...)
	}
	return y
}

// modulated is the RMS norm of h, scaled and shifted by an embedding.
func modulated(p Params, name string, h, e []float64) []float64 {
	root := math.Sqrt(Square(h)/float64(len(h)) + 1e-5)
	scale, by := p(name+".norm.scale"), linear(p, name+".modulate", e)
	y := make([]float64, len(h))
	for j, v := range h {
		y[j] = v/root*(1+scale[j])*(1+by[j]) + by[len(h)+j]
	}
	return y
}

// gated is u times a gate that an embedding opens.
func gated(p Params, name string, u, e []float64) []float64 {
	y := make([]float64, len(u))
	for j, g := range linear(p, name+".gate", e) {
		y[j] = u[j] * g
	}
	return y
}
