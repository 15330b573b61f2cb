package model

import (
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// UNet describes a U-Net (Ronneberger et al. 2015; Ho et al. 2020).
type UNet struct {
	Channels  []int // of each level, the finest first; the next has half the pixels a direction
	Blocks    int   // residual blocks of each level, on each side
	Heads     int   // of the attention between the blocks in the middle; 0: no attention
	Embedding int   // width of the embedding of the level of noise
	Features  int   // sinusoids of the level (even)
	Condition int   // width of the condition; 0: none
}

// NewUNet returns r_theta(z, lambda) for latents that are small pictures, or signals (H = 1), of
// which the width alone is halved:
//
//	emb = silu(embedding of lambda + linear(condition)), which modulates every residual block
//	h   = conv(z)
//	down:    residual blocks; but for the coarsest level, h = linear(merge(h))
//	middle:  residual block, attention, residual block
//	up:      h = concat(split(linear(h)), what went down at this level); residual blocks
//	r   = conv(silu(norm(h))), which starts at zero, so that the prior starts as N(0, I)
//
// products is as in [Build].
func NewUNet(products *blas.Backend, z layer.Shape, u UNet) (*Net, error) {
	if err := (Stages{Channels: u.Channels}).check(); err != nil {
		return nil, fmt.Errorf("in: %w", err)
	}
	return Build(products, func(b *Builder) Node {
		h := b.Conv("in", b.Input("z", z), u.Channels[0])
		emb := b.conditioned(u.Features, u.Embedding, u.Condition)
		h, skips := b.down(h, emb, u)
		bottom := u.Channels[len(u.Channels)-1]
		h = b.residual("middle.block0", h, emb, bottom)
		if u.Heads > 0 {
			h = b.attend("middle", h, u.Heads)
		}
		h = b.residual("middle.block1", h, emb, bottom)
		h = b.up(h, emb, skips, u)
		out := layer.Conv{Channels: z.C, Size: 3, Zero: true}
		return b.Add("out", out, b.NormSiLU("norm", h, none))
	})
}

// down adds the levels on the way down, and returns what goes to the other side.
func (b *Builder) down(h, emb Node, u UNet) (bottom Node, skips []Node) {
	for i, c := range u.Channels {
		name := fmt.Sprintf("down%d", i)
		if i > 0 {
			h = b.Linear(name, b.Add(name+".merge", layer.Merge{}, h), c)
		}
		h = b.blocks(name, h, emb, u.Blocks, c)
		skips = append(skips, h)
	}
	return h, skips
}

// up adds the levels on the way up.
func (b *Builder) up(h, emb Node, skips []Node, u UNet) Node {
	for i := len(u.Channels) - 2; i >= 0; i-- {
		name, c := fmt.Sprintf("up%d", i), u.Channels[i]
		h = b.split(name, h, c, b.Shape(h).H == 1 && b.Shape(skips[i]).H == 1)
		h = b.blocks(name, b.Add(name+".concat", layer.Concat{}, h, skips[i]), emb, u.Blocks, c)
	}
	return h
}

// attend adds x + linear(attention(linear(norm(x)))); the last linear layer starts at zero.
func (b *Builder) attend(name string, x Node, heads int) Node {
	c := b.Shape(x).C
	h := b.Add(name+".norm", layer.GroupNorm{Groups: groups(c)}, x)
	h = b.Add(name+".attention", layer.Attention{Heads: heads}, b.Linear(name+".qkv", h, 3*c))
	return b.Sum(name+".attended", x, b.Zero(name+".proj", h, c))
}

// conditioned is silu(embedding of lambda + linear(condition)); without a condition, of lambda
// alone.
func (b *Builder) conditioned(features, width, condition int) Node {
	emb := b.embedding(b.Given(Lambda, layer.Vector(1)), features, width)
	c := b.condition(condition)
	if c == none {
		return b.SiLU(emb)
	}
	return b.Add("emb", layer.SumSiLU{}, emb, b.Linear("condition", c, width))
}
