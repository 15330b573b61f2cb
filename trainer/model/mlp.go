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
	return NewConditionalMLP(products, 0, widths...)
}

// NewConditionalMLP is NewMLP with an input [Condition] of the given length, unless that is 0. A
// linear layer of it is added to the output of the first layer.
func NewConditionalMLP(products *blas.Backend, condition int, widths ...int) *Net {
	return NewDecoder(products, condition, 0, widths...)
}

// Scales is the name of the parameters of the [layer.Scales] of NewDecoder.
const Scales = scalesLayer + ".bias"

const scalesLayer = "scales"

// NewDecoder is NewConditionalMLP whose output is followed by the given number of parameters
// [layer.Scales].
func NewDecoder(products *blas.Backend, condition, scales int, widths ...int) *Net {
	return Must(Build(products, func(b *Builder) Node {
		z := b.Input("z", layer.Vector(widths[0]))
		out := b.mlp(z, b.condition(condition), widths[1:])
		if scales > 0 {
			out = b.Add(scalesLayer, layer.Scales{N: scales}, out)
		}
		return out
	}))
}

// MLP adds layers of the given widths with SiLU between them.
func (b *Builder) MLP(x Node, widths []int) Node { return b.mlp(x, none, widths) }

// mlp is MLP; unless the condition is none, a linear layer of it is added to the output of the
// first layer.
func (b *Builder) mlp(x, condition Node, widths []int) Node {
	if len(widths) < 1 {
		panic("model: an MLP needs an input and an output width")
	}
	for i, w := range widths {
		if i > 0 {
			x = b.SiLU(x)
		}
		x = b.Linear(fmt.Sprintf("layer%d", i), x, w)
		if i == 0 && condition != none {
			x = b.Sum("conditioned", x, b.Linear("condition", condition, w))
		}
	}
	return x
}

// condition adds the input [Condition] of the given length; none if that is 0.
func (b *Builder) condition(width int) Node {
	if width == 0 {
		return none
	}
	return b.Given(Condition, layer.Vector(width))
}

// none is no value: no condition, or no embedding.
const none Node = -1

// NewEncoder returns the encoder q(z|x) of rows of dim numbers into the given number of latent
// dimensions: an MLP with the given hidden widths, from the input on, whose output is that of
// [layer.Moments]. products is as in [Build].
func NewEncoder(products *blas.Backend, dim, latent int, widths ...int) *Net {
	return NewConditionalEncoder(products, dim, 0, latent, widths...)
}

// NewConditionalEncoder is NewEncoder with an input [Condition] as in [NewConditionalMLP].
func NewConditionalEncoder(
	products *blas.Backend, dim, condition, latent int, widths ...int,
) *Net {
	return Must(Build(products, func(b *Builder) Node {
		x := b.Given("x", layer.Vector(dim))
		out := b.mlp(x, b.condition(condition), append(slices.Clone(widths), 2*latent))
		return b.Add("moments", layer.Moments{}, out)
	}))
}
