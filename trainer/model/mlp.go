package model

import (
	"fmt"
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// NewMLP returns a multilayer perceptron with the given widths, input, hidden ..., output: SiLU
// between its layers and a linear output. products is as in [Build].
func NewMLP(products *blas.Backend, widths ...int) *Net {
	return Must(Build(products, func(b *Builder) Node {
		return b.MLP(b.Input("z", layer.Vector(widths[0])), widths[1:])
	}))
}

// MLP adds layers of the given widths with SiLU between them.
func (b *Builder) MLP(x Node, widths []int) Node {
	if len(widths) < 1 {
		panic("model: an MLP needs an input and an output width")
	}
	for i, w := range widths {
		if i > 0 {
			x = b.SiLU(x)
		}
		x = b.Linear(fmt.Sprintf("layer%d", i), x, w)
	}
	return x
}

// NewEncoder returns the encoder q(z|x) of rows of dim numbers into the given number of latent
// dimensions: an MLP with the given hidden widths, from the input on, whose output is that of
// [layer.Moments]. products is as in [Build].
func NewEncoder(products *blas.Backend, dim, latent int, widths ...int) *Net {
	return Must(Build(products, func(b *Builder) Node {
		x := b.Given("x", layer.Vector(dim))
		y := b.MLP(x, append(slices.Clone(widths), 2*latent))
		return b.Add("moments", layer.Moments{}, y)
	}))
}
