package model

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// ResidualScore is r_theta(z, lambda), a residual MLP. With f = sinusoids of lambda:
//
//	emb     = W silu(V f + c) + b
//	h_0     = W_in z + b_in
//	h_{l+1} = h_l + W2 silu(W1 silu(h_l + emb) + b1) + b2
//	r       = W_out h_L + b_out
//
// W_out and b_out start at zero, so that the prior starts as N(0, I).
type ResidualScore struct {
	latent, width int
	freq          []float32 // geometric from minFreq to maxFreq, radians per unit of lambda
	emb1, emb2    linear
	in, out       linear
	blocks        []scoreBlock
	layout        Layout
}

type scoreBlock struct{ w1, w2 linear }

// The slowest feature makes about a sixth of a turn over lambda in [-10, 10]; the fastest resolves
// changes of the score within about one unit of lambda.
const minFreq, maxFreq = 0.05, 5

// NewResidualScore describes a network for latents of the given dimension: width of the
// blocks, their number, and the number of sinusoidal features (even). products is as in NewMLP.
func NewResidualScore(products *blas.Backend, latent, width, blocks, features int) *ResidualScore {
	if features < 2 || features%2 != 0 {
		panic("model: the number of lambda features must be even and positive")
	}
	s := &ResidualScore{latent: latent, width: width, freq: make([]float32, features/2)}
	for k := range s.freq {
		u := float64(k) / float64(max(1, len(s.freq)-1))
		s.freq[k] = float32(minFreq * math.Pow(maxFreq/minFreq, u))
	}
	s.emb1 = newLinear(products, &s.layout, "emb1", features, width, false)
	s.emb2 = newLinear(products, &s.layout, "emb2", width, width, false)
	s.in = newLinear(products, &s.layout, "in", latent, width, false)
	for l := range blocks {
		s.blocks = append(s.blocks, scoreBlock{
			w1: newLinear(products, &s.layout, fmt.Sprintf("block%d.w1", l), width, width, false),
			w2: newLinear(products, &s.layout, fmt.Sprintf("block%d.w2", l), width, width, false),
		})
	}
	s.out = newLinear(products, &s.layout, "out", width, latent, true)
	return s
}

// In is the latent dimension.
func (s *ResidualScore) In() int { return s.latent }

// Layout is the layout of the parameters.
func (s *ResidualScore) Layout() *Layout { return &s.layout }

// scoreTape keeps what the backward pass needs, rows x width each: the output of each SiLU and its
// derivative, which overwrites its argument. Gradients overwrite values that are no longer needed:
// dpre overwrites pre, du u, demb emb, and dh_l overwrites h_l for all but the last.
type scoreTape struct {
	*ResidualScore
	packing
	weightGrads
	emb1, emb2, in, out *layer
	w1, w2              []*layer
	lambda              []float32
	z, r                []float32
	feat                []float32
	pre, act            []float32 // first layer of the embedding, before and after its SiLU
	emb                 []float32
	h                   [][]float32 // h_0 .. h_L
	s, a, u, v          [][]float32 // a = silu(h + emb), v = silu(W1 a + b1); derivatives s, u
	dlast               []float32   // gradient by h_L
	back                []float32   // gradient by an activation
}

// NewScoreTape implements ScoreNet.
func (s *ResidualScore) NewScoreTape(a *memory.Arena, p []float32, rows int, use Use) ScoreTape {
	floats := func(width int) []float32 { return a.Floats(memory.Activations, rows, width) }
	wide := func() []float32 { return floats(s.width) }
	t := &scoreTape{
		ResidualScore: s,
		lambda:        floats(1), z: floats(s.latent), r: floats(s.latent),
		feat: floats(2 * len(s.freq)), pre: wide(), act: wide(), emb: wide(),
		dlast: wide(), back: wide(),
	}
	for range s.blocks {
		t.h, t.s, t.a = append(t.h, wide()), append(t.s, wide()), append(t.a, wide())
		t.u, t.v = append(t.u, wide()), append(t.v, wide())
	}
	t.h = append(t.h, wide())
	t.bind(a, p, use)

	for l, b := range s.blocks {
		t.weightGrads = append(t.weightGrads,
			weightGrad{b.w1, t.a[l], t.u[l]}, weightGrad{b.w2, t.v[l], t.dh(l + 1)})
	}
	t.weightGrads = append(t.weightGrads,
		weightGrad{s.emb2, t.act, t.emb}, weightGrad{s.emb1, t.feat, t.pre},
		weightGrad{s.in, t.z, t.dh(0)}, weightGrad{s.out, t.h[len(s.blocks)], t.r})
	return t
}

// bind gives the layers their parameters. No gradient passes through the first layer of the
// embedding: lambda needs none.
func (t *scoreTape) bind(a *memory.Arena, p []float32, use Use) {
	add := func(l linear, backward Use) *layer { return t.packing.bind(a, l, p, bool(backward)) }
	t.emb1, t.emb2 = add(t.ResidualScore.emb1, false), add(t.ResidualScore.emb2, use)
	t.in, t.out = add(t.ResidualScore.in, use), add(t.ResidualScore.out, use)
	for _, b := range t.blocks {
		t.w1, t.w2 = append(t.w1, add(b.w1, use)), append(t.w2, add(b.w2, use))
	}
}

// dh is the array for the gradient by h_l.
func (t *scoreTape) dh(l int) []float32 {
	if l == len(t.blocks) {
		return t.dlast
	}
	return t.h[l]
}

func (t *scoreTape) In(lo, hi int) []float32     { return cut(t.z, t.latent, lo, hi) }
func (t *scoreTape) Out(lo, hi int) []float32    { return cut(t.r, t.latent, lo, hi) }
func (t *scoreTape) Lambda(lo, hi int) []float32 { return t.lambda[lo:hi] }

func (t *scoreTape) Forward(lo, hi int) {
	t.embed(lo, hi)
	t.residual(lo, hi)
}

func (t *scoreTape) ForwardAt(lo, hi int, lambda float32) {
	t.lambda[lo] = lambda
	t.embed(lo, lo+1)
	row := cut(t.emb, t.width, lo, lo+1)
	for i := lo + 1; i < hi; i++ {
		copy(cut(t.emb, t.width, i, i+1), row)
	}
	t.residual(lo, hi)
}

// embed computes the embedding of the rows' levels.
func (t *scoreTape) embed(lo, hi int) {
	wide := func(x []float32) []float32 { return cut(x, t.width, lo, hi) }
	feat := cut(t.feat, 2*len(t.freq), lo, hi)
	kernel.Sinusoids(feat, t.Lambda(lo, hi), t.freq)
	t.emb1.mul(wide(t.pre), feat, hi-lo)
	kernel.BiasSiLU(wide(t.act), wide(t.pre), t.emb1.bias())
	t.emb2.mulBias(wide(t.emb), wide(t.act), hi-lo)
}

// residual computes r from z and the embedding.
func (t *scoreTape) residual(lo, hi int) {
	rows := hi - lo
	wide := func(x []float32) []float32 { return cut(x, t.width, lo, hi) }

	emb := wide(t.emb)
	h, bias, skip := wide(t.h[0]), t.in.bias(), []float32(nil)
	t.in.mul(h, t.In(lo, hi), rows)
	for l := range t.blocks {
		if l == 0 {
			kernel.EmbedSiLU(wide(t.a[l]), wide(t.s[l]), h, bias, emb)
		} else {
			kernel.SkipSiLU(wide(t.a[l]), wide(t.s[l]), h, bias, skip, emb)
		}
		t.w1[l].mul(wide(t.u[l]), wide(t.a[l]), rows)
		kernel.BiasSiLU(wide(t.v[l]), wide(t.u[l]), t.w1[l].bias())
		next := wide(t.h[l+1])
		t.w2[l].mul(next, wide(t.v[l]), rows)
		h, bias, skip = next, t.w2[l].bias(), h
	}
	if skip == nil {
		kernel.AddBias(h, bias)
	} else {
		kernel.AddBiasSkip(h, bias, skip)
	}
	t.out.mulBias(t.Out(lo, hi), h, rows)
}

func (t *scoreTape) Backward(lo, hi int, din []float32) {
	rows := hi - lo
	wide := func(x []float32) []float32 { return cut(x, t.width, lo, hi) }

	back, demb := wide(t.back), wide(t.emb)
	clear(demb)
	dh := wide(t.dh(len(t.blocks)))
	t.out.mulT(dh, t.Out(lo, hi), rows)
	for l := len(t.blocks) - 1; l >= 0; l-- {
		u, below := wide(t.u[l]), wide(t.dh(l))
		t.w2[l].mulT(back, dh, rows)
		kernel.SiLUBackward(u, u, back)
		t.w1[l].mulT(back, u, rows)
		kernel.SkipSiLUBackward(below, demb, dh, wide(t.s[l]), back)
		dh = below
	}
	t.emb2.mulT(back, demb, rows)
	kernel.SiLUBackward(wide(t.pre), wide(t.pre), back)
	if din != nil {
		t.in.mulT(din, dh, rows)
	}
}
