package model

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// Stages are the residual blocks of a convolutional decoder or encoder, by the size of the picture:
// each stage has twice the pixels of the one before in each direction, or twice the samples of
// signals, whose height of 1 stays.
type Stages struct {
	Channels  []int // of each stage, from the latents to the picture
	Blocks    int   // residual blocks of each stage
	Condition int   // width of the condition, which modulates the blocks; 0: none
}

// check returns an error without any stage.
func (s Stages) check() error {
	if len(s.Channels) == 0 {
		return errors.New("no channels: needs those of one stage or more")
	}
	return nil
}

// Halvings is how often the picture is halved in each direction until it is a latent.
func (s Stages) Halvings() int { return len(s.Channels) - 1 }

// SuitsConv reports whether convolutions, rather than an MLP, suit pictures of the given shape:
// those in colour and those from 32 x 32 up, if they can be halved.
func SuitsConv(picture layer.Shape) bool {
	side := min(picture.H, picture.W)
	colour := picture.C > 1 && side > 1
	return (colour || side >= 32) && picture.H%2 == 0 && picture.W%2 == 0
}

// NewConvDecoder returns the decoder from latents z, small pictures, to pictures of a given shape,
// or from short signals to signals:
//
//	h = conv(z)
//	for each stage:  h = residual blocks(h);  but for the last: h = split(linear(h))
//	x = conv(silu(norm(h)))
//
// products is as in [Build].
func NewConvDecoder(products *blas.Backend, z, picture layer.Shape, s Stages) (*Net, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("in: %w", err)
	}
	return Build(products, func(b *Builder) Node {
		h := b.Conv("in", b.Input("z", z), s.Channels[0])
		c := b.condition(s.Condition)
		for i, channels := range s.Channels {
			name := fmt.Sprintf("up%d", i)
			if i > 0 {
				h = b.split(name, h, channels, picture.H == 1)
			}
			h = b.blocks(name, h, c, s.Blocks, channels)
		}
		x := b.Conv("out", b.NormSiLU("norm", h, none), picture.C)
		return b.shaped("out", x, picture)
	})
}

// NewConvEncoder returns the encoder q(z|x) of pictures of the given shape, the decoder's mirror
// image: where that splits, this merges. Its output is that of [layer.Moments].
func NewConvEncoder(products *blas.Backend, picture, z layer.Shape, s Stages) (*Net, error) {
	return Build(products, func(b *Builder) Node {
		h := b.Contract(b.Given("x", picture), s)
		z.C *= 2 // means and log-variances
		return b.Add("moments", layer.Moments{}, b.shaped("out", b.Conv("out", h, z.C), z))
	})
}

// Contract adds the way of pictures x to a small one:
//
//	h = conv(x)
//	for each stage, from the last on:
//	    h = residual blocks(h);  but for the first: h = linear(merge(h))
//	y = silu(norm(h))
func (b *Builder) Contract(x Node, s Stages) Node {
	if err := s.check(); err != nil {
		b.err = cmp.Or(b.err, fmt.Errorf("in: %w", err))
		return 0
	}
	last := len(s.Channels) - 1
	h := b.Conv("in", x, s.Channels[last])
	c := b.condition(s.Condition)
	for i := last; i >= 0; i-- {
		name := fmt.Sprintf("down%d", last-i)
		h = b.blocks(name, h, c, s.Blocks, s.Channels[i])
		if i > 0 {
			h = b.Linear(name, b.Add(name+".merge", layer.Merge{}, h), s.Channels[i-1])
		}
	}
	return b.NormSiLU("norm", h, none)
}

// shaped is x, which must have the given shape.
func (b *Builder) shaped(name string, x Node, want layer.Shape) Node {
	if b.err == nil && b.Shape(x) != want {
		b.err = fmt.Errorf("%s: the stages make %v of it, expected %v", name, b.Shape(x), want)
	}
	return x
}

// blocks adds n residual blocks of c channels.
func (b *Builder) blocks(name string, h, emb Node, n, c int) Node {
	for i := range n {
		h = b.residual(fmt.Sprintf("%s.block%d", name, i), h, emb, c)
	}
	return h
}

// split adds split(linear(h)), which has c channels.
func (b *Builder) split(name string, h Node, c int, signal bool) Node {
	split := layer.Split{Signal: signal}
	return b.Add(name+".split", split, b.Linear(name, h, split.Parts()*c))
}

// residual adds the block
//
//	y = skip(x) + conv2(silu(modulate(norm2(conv1(silu(norm1(x)))), emb)))
//
// of c channels, where skip is linear if x has another number of channels. conv2 starts at zero,
// and without an embedding there is no modulation.
func (b *Builder) residual(name string, x, emb Node, c int) Node {
	h := b.Conv(name+".conv1", b.NormSiLU(name+".norm1", x, none), c)
	if emb != none {
		emb = b.Linear(name+".emb", emb, 2*c)
	}
	conv2 := layer.Conv{Channels: c, Size: 3, Zero: true}
	h = b.Add(name+".conv2", conv2, b.NormSiLU(name+".norm2", h, emb))
	if b.Shape(x).C != c {
		x = b.Linear(name+".skip", x, c)
	}
	return b.Sum(name, x, h)
}

// Conv adds layer.Conv of 3 x 3 pixels, or 3 samples of a signal.
func (b *Builder) Conv(name string, x Node, channels int) Node {
	return b.Add(name, layer.Conv{Channels: channels, Size: 3}, x)
}

// NormSiLU adds layer.GroupNorm with SiLU, modulated by emb unless that is none.
func (b *Builder) NormSiLU(name string, x, emb Node) Node {
	in := []Node{x}
	if emb != none {
		in = append(in, emb)
	}
	return b.Add(name, layer.GroupNorm{Groups: groups(b.Shape(x).C), SiLU: true}, in...)
}

// groups is the number of groups of a norm: 8, or the largest number below that divides the
// channels.
func groups(channels int) int {
	for g := 8; g > 1; g-- {
		if channels%g == 0 {
			return g
		}
	}
	return 1
}
