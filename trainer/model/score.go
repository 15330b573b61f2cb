package model

import (
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// NewResidualScore returns r_theta(z, lambda), a residual MLP. With f = sinusoids of lambda:
//
//	emb     = W silu(V f + c) + b
//	h_0     = W_in z + b_in
//	h_{l+1} = h_l + W2 silu(W1 silu(h_l + emb) + b1) + b2
//	r       = W_out h_L + b_out
//
// W_out and b_out start at zero, so that the prior starts as N(0, I). latent is the length of z,
// width that of emb and h, blocks is L, 1 or more, and features the even number of sinusoids.
// products is as in [Build].
func NewResidualScore(products *blas.Backend, latent, width, blocks, features int) *Net {
	return NewConditionalScore(products, latent, 0, width, blocks, features)
}

// NewConditionalScore is NewResidualScore with an input [Condition] of the given length, unless
// that is 0. A linear layer of it is added to emb.
func NewConditionalScore(
	products *blas.Backend, latent, condition, width, blocks, features int,
) *Net {
	return Must(Build(products, func(b *Builder) Node {
		z := b.Input("z", layer.Vector(latent))
		emb := b.embedding(b.Given(Lambda, layer.Vector(1)), features, width)
		if c := b.condition(condition); c != none {
			emb = b.Sum("emb", emb, b.Linear("condition", c, width))
		}
		h := b.Linear("in", z, width)
		for l := range blocks {
			name := fmt.Sprintf("block%d", l)
			v := b.Linear(name+".w1", b.Add(name+".silu", layer.SumSiLU{}, h, emb), width)
			h = b.Sum(name, h, b.Linear(name+".w2", b.SiLU(v), width))
		}
		return b.Zero("out", h, latent)
	}))
}

// embedding is W silu(V f + c) + b of sinusoids f of lambda.
func (b *Builder) embedding(lambda Node, features, width int) Node {
	sinusoids := layer.Sinusoids{Features: features, Slowest: slowest, Fastest: fastest}
	f := b.Add("sinusoids", sinusoids, lambda)
	return b.Linear("emb2", b.SiLU(b.Linear("emb1", f, width)), width)
}

// The slowest sinusoid makes about a sixth of a turn over lambda in [-10, 10]; the fastest resolves
// changes of the score within about one unit of lambda.
const slowest, fastest = 0.05, 5
