package model

import (
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// Transformer describes a transformer whose tokens are the pixels of a latent (Peebles and Xie
// 2023).
type Transformer struct {
	Width     int // of a token
	Blocks    int
	Heads     int // of the attention
	Features  int // sinusoids of the level of noise (even)
	Condition int // width of the condition; 0: none
}

// NewTransformer returns r_theta(z, lambda) for latents that are small pictures of 2 x 2 pixels or
// more, or signals of 2 samples or more:
//
//	emb = silu(embedding of lambda + linear(condition))
//	h   = linear(z) + a vector for each pixel
//	each block:  h = h + gate(emb) * proj(attention(qkv(norm(h, emb))))
//	             h = h + gate(emb) * w2(silu(w1(norm(h, emb))))
//	r   = linear(norm(h, emb))
//
// where norm is an RMS norm, scaled and shifted by linear layers of emb, and w1 makes four times as
// many channels. All that emb is put through starts at zero, so that at first a block changes
// nothing. So does the last layer, so that the prior starts as N(0, I). products is as in [Build].
func NewTransformer(products *blas.Backend, z layer.Shape, t Transformer) (*Net, error) {
	if z.W < 2 {
		return nil, fmt.Errorf("z: got %v, needs 2 x 2 pixels or 2 samples or more, which are "+
			"the tokens", z)
	}
	return Build(products, func(b *Builder) Node {
		h := b.Linear("in", b.Input("z", z), t.Width)
		emb := b.conditioned(t.Features, t.Width, t.Condition)
		h = b.Add("positions", layer.Positions{}, h)
		for l := range t.Blocks {
			h = b.transform(fmt.Sprintf("block%d", l), h, emb, t.Heads)
		}
		return b.Zero("out", b.modulatedNorm("out", h, emb), z.C)
	})
}

// transform adds a block.
func (b *Builder) transform(name string, h, emb Node, heads int) Node {
	attention, mlp, c := name+".attention", name+".mlp", b.Shape(h).C

	u := b.Linear(attention+".qkv", b.modulatedNorm(attention, h, emb), 3*c)
	u = b.Add(attention, layer.Attention{Heads: heads}, u)
	h = b.gated(attention, h, b.Linear(attention+".proj", u, c), emb)

	u = b.SiLU(b.Linear(mlp+".w1", b.modulatedNorm(mlp, h, emb), 4*c))
	return b.gated(mlp, h, b.Linear(mlp+".w2", u, c), emb)
}

// modulatedNorm is an RMS norm of h, scaled and shifted by emb.
func (b *Builder) modulatedNorm(name string, h, emb Node) Node {
	by := b.Zero(name+".modulate", emb, 2*b.Shape(h).C)
	return b.Add(name+".norm", layer.RMSNorm{}, h, by)
}

// gated is h + u times a gate that emb opens.
func (b *Builder) gated(name string, h, u, emb Node) Node {
	gate := b.Zero(name+".gate", emb, b.Shape(u).C)
	return b.Sum(name+".sum", h, b.Add(name+".gated", layer.Gate{}, u, gate))
}
