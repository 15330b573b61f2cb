package method

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// Resolve returns the configuration with the choices that it leaves to the data: which networks
// suit pictures of the given shape, and their sizes. What does not fit the shape is an error, as is
// what Validate refuses.
//
// Convolutions have defaults of their own. They take the place of those of [DefaultFor] in the keys
// that were not given, as given reports. Without it (nil), those are the keys with the values of
// DefaultFor, but none in a configuration that names both network and decoder, as that of DefaultOn
// and stored ones do. A step_size_end that was not given keeps its ratio to step_size.
func Resolve(
	c config.Config, picture data.Shape, given func(key string) bool,
) (config.Config, error) {
	m, err := find(c.Method)
	if err == nil {
		err = Validate(c)
	}
	if err != nil {
		return c, err
	}
	o := &c.Options
	if given == nil {
		given = m.unlike(c)
	}
	if o.Network == config.AutoNetwork {
		o.Network = config.MLP
		if model.SuitsConv(layer.Shape(picture)) {
			o.Network = config.Conv
		}
	}
	if o.Decoder == config.AutoNetwork {
		o.Decoder = o.Network
	}
	m.fill(&c, given)
	if m.encoder != nil && o.Encoder == config.AutoNetwork {
		o.Encoder = o.Decoder
	}
	var p config.Problems
	if o.Decoder == config.Conv {
		resolveLatents(&c, m, picture, &p)
	}
	p.Expect(o.Decoder == config.Conv || len(o.LatentShape) == 0, "latent_shape", o.LatentShape,
		"nothing, since the latents of an MLP are vectors (--latent), or --decoder conv")
	p.Expect(o.Decoder == config.Conv || o.Encoder != config.Conv, "encoder", o.Encoder,
		"mlp, since the latents of an MLP are vectors, or --decoder conv")
	if slices.Contains(m.reads, scoreKeys) {
		resolveScore(o, &p)
	}
	if err := p.Err(); err != nil {
		return c, err
	}
	return c, Validate(c)
}

// Describe names the networks of a resolved configuration for pictures of the given shape, with
// their shapes and numbers of parameters.
func Describe(c config.Config, picture data.Shape) (string, error) {
	m, err := find(c.Method)
	if err != nil {
		return "", err
	}
	s := Setup{Options: c.Options, Batch: 1, Tile: 1}
	if err := m.networks(&s, picture); err != nil {
		return "", err
	}
	count := func(l *model.Layout) string { return humanize.Comma(int64(l.Size())) }
	text := fmt.Sprintf("%s decoder from %v to %v, %s parameters", cmp.Or(c.Decoder, config.MLP),
		s.Decoder.InShape(), s.Decoder.OutShape(), count(s.Decoder.Layout()))
	if s.Prior.Layout().Size() > 0 {
		text += fmt.Sprintf("; %s score network, %s", c.Score, count(s.Prior.Layout()))
	}
	if s.Encoder != nil {
		text += fmt.Sprintf("; %s encoder, %s", c.Encoder, count(s.Encoder.Layout()))
	}
	return text, nil
}

// Resolved returns a configuration with the choices of a stored one where it leaves them to the
// data, as it may again when a run is resumed. given is as in Resolve.
func Resolved(c, stored config.Config, given func(key string) bool) config.Config {
	m, err := find(c.Method)
	if err != nil {
		return c
	}
	if given == nil {
		given = m.unlike(c)
	}
	usual := m.usual()
	for _, name := range []string{
		"network", "decoder", "score", "encoder", "latent_shape", "latent", "decoder_channels",
		"encoder_channels", "unet_channels", "classes",
	} {
		if key := c.Key(name); key.String() == usual.Key(name).String() {
			if name == "latent" && len(stored.LatentShape) == 0 {
				continue // it was given
			}
			if err := key.Set(stored.Key(name).String()); err != nil {
				panic("method: a stored value that is no value")
			}
		}
	}
	m.fill(&c, given)
	return c
}

// ResolveClasses returns the configuration with the number of classes, if that is left to the data.
// It is an error if conditions are asked for and the data have no labels, or more classes.
func ResolveClasses(c config.Config, classes int) (config.Config, error) {
	var p config.Problems
	o := &c.Options
	if !o.Conditional() {
		return c, nil
	}
	p.Expect(classes > 0, "condition", o.Condition, "none, or images with labels: "+
		"a folder for each class, or a file of labels (--labels)")
	if o.Classes == 0 {
		o.Classes = classes
	}
	p.Expect(o.Classes >= classes, "classes", o.Classes,
		fmt.Sprintf("0, or at least the %d classes of the data", classes))
	return c, p.Err()
}

// halvings is how often a picture can be halved on the way to latents of at most 16 x 16: twice, if
// it is small.
func halvings(picture data.Shape) (n int) {
	h, w := picture.H, picture.W
	for h%2 == 0 && w%2 == 0 && (n < 2 || max(h, w) > largestLatent) {
		h, w, n = h/2, w/2, n+1
	}
	return n
}

// largestLatent is the largest side of a latent that is not asked for; latentChannels its channels.
const largestLatent, latentChannels = 16, 4

// resolveLatents sets the shape of spatial latents and the stages between them and the picture.
func resolveLatents(c *config.Config, m spec, picture data.Shape, p *config.Problems) {
	o := &c.Options
	if len(o.LatentShape) == 0 {
		n := halvings(picture)
		p.Expect(n > 0, "decoder", o.Decoder, fmt.Sprintf(
			"mlp, since pictures of %v cannot be halved; or pictures of an even size (--size)",
			picture))
		o.LatentShape = []int{picture.H >> n, picture.W >> n, latentChannels}
	}
	z := latentShape(*o)
	n := 0
	for z.H<<n < picture.H {
		n++
	}
	if z.H<<n != picture.H || z.W<<n != picture.W {
		p.Expect(false, "latent_shape", o.LatentShape, fmt.Sprintf(
			"height and width of the pictures, %d and %d, halved the same number of times",
			picture.H, picture.W))
		return
	}
	if len(o.DecoderChannels) == 0 {
		o.DecoderChannels = stages(n+1, 64, 32)
	}
	p.Expect(len(o.DecoderChannels) == n+1, "decoder_channels", o.DecoderChannels, fmt.Sprintf(
		"%d numbers: latents of %v are doubled %d times to pictures of %v", n+1, z, n, picture))
	if m.encoder != nil && o.Encoder == config.Conv {
		if len(o.EncoderChannels) == 0 {
			o.EncoderChannels = slices.Clone(o.DecoderChannels)
		}
		p.Expect(len(o.EncoderChannels) == n+1, "encoder_channels", o.EncoderChannels,
			fmt.Sprintf("%d numbers, as for decoder_channels", n+1))
	}
	p.Expect(o.Latent == m.usual().Latent || o.Latent == z.Len(), "latent", o.Latent,
		fmt.Sprintf("%d, the numbers of latent_shape = %v: leave it out", z.Len(), o.LatentShape))
	o.Latent = z.Len()
}

// stages is n numbers of channels, the last of which is last.
func stages(n, channels, last int) []int {
	all := slices.Repeat([]int{channels}, n)
	all[n-1] = last
	return all
}

// resolveScore sets the kind of the score network, and a U-Net's levels.
func resolveScore(o *config.Options, p *config.Problems) {
	spatial := len(o.LatentShape) > 0
	if o.Score == config.AutoScore {
		o.Score = config.ScoreMLP
		if spatial {
			o.Score = config.ScoreUNet
		}
	}
	p.Expect(o.Score == config.ScoreMLP || spatial, "score", o.Score,
		"mlp, since the latents are vectors, or --decoder conv")
	if o.Score != config.ScoreUNet || !spatial || len(o.UNetChannels) > 0 {
		return
	}
	h, w, levels := o.LatentShape[0], o.LatentShape[1], 1
	for ; h%2 == 0 && w%2 == 0 && max(h, w) > 4; levels++ {
		h, w = h/2, w/2
	}
	o.UNetChannels = slices.Repeat([]int{128}, levels)
	o.UNetChannels[0] = 64
}

// latentShape is the shape of a latent.
func latentShape(o config.Options) layer.Shape {
	if s := o.LatentShape; len(s) == 3 {
		return layer.Shape{H: s[0], W: s[1], C: s[2]}
	}
	return layer.Vector(o.Latent)
}

// products computes the products of networks with the given options: by b, or if that is nil by
// the default of package blas, in their precision.
func products(b *blas.Backend, o config.Options) (*blas.Backend, error) {
	if b == nil {
		return blas.In(o.Precision)
	}
	return b.In(o.Precision)
}

// newDecoder returns the decoder that the options, which are resolved, describe.
func newDecoder(
	products *blas.Backend, o config.Options, picture data.Shape,
) (*model.Net, error) {
	if o.Decoder == config.Conv {
		stages := model.Stages{
			Channels: o.DecoderChannels, Blocks: o.DecoderBlocks, Condition: ofBoth(o),
		}
		net, err := model.NewConvDecoder(products, latentShape(o), layer.Shape(picture), stages)
		return named("decoder", net, err)
	}
	widths := append([]int{o.Latent}, o.DecoderWidths...)
	return model.NewConditionalMLP(products, ofBoth(o), append(widths, picture.Dim())...), nil
}

// newEncoder returns the encoder that the options, which are resolved, describe.
func newEncoder(
	products *blas.Backend, o config.Options, picture data.Shape,
) (*model.Net, error) {
	if o.Encoder == config.Conv {
		stages := model.Stages{
			Channels: o.EncoderChannels, Blocks: o.DecoderBlocks, Condition: ofBoth(o),
		}
		net, err := model.NewConvEncoder(products, layer.Shape(picture), latentShape(o), stages)
		return named("encoder", net, err)
	}
	return model.NewConditionalEncoder(
		products, picture.Dim(), ofBoth(o), o.Latent, o.EncoderWidths...), nil
}

// newDiffusion returns the diffusion prior that the options, which are resolved, describe.
func newDiffusion(products *blas.Backend, o config.Options) (prior.Prior, error) {
	score, err := newScore(products, o)
	return &prior.Diffusion{Bound: prior.NewBound(o), Score: score}, err
}

func newScore(products *blas.Backend, o config.Options) (*model.Net, error) {
	switch o.Score {
	case config.ScoreTransformer:
		net, err := model.NewTransformer(products, latentShape(o), model.Transformer{
			Width: o.ScoreWidth, Blocks: o.ScoreBlocks, Heads: o.ScoreHeads,
			Features: o.ScoreFeatures, Condition: conditions(o),
		})
		return named("score", net, err)
	case config.ScoreUNet:
		net, err := model.NewUNet(products, latentShape(o), model.UNet{
			Channels: o.UNetChannels, Blocks: o.UNetBlocks, Heads: o.ScoreHeads,
			Embedding: o.ScoreWidth, Features: o.ScoreFeatures, Condition: conditions(o),
		})
		return named("score", net, err)
	}
	return model.NewConditionalScore(
		products, o.Latent, conditions(o), o.ScoreWidth, o.ScoreBlocks, o.ScoreFeatures), nil
}

// conditions is the length of the conditions that the score network reads.
func conditions(o config.Options) int {
	if !o.Conditional() {
		return 0
	}
	return o.Classes
}

// ofBoth is the length of the conditions that decoder and encoder read.
func ofBoth(o config.Options) int {
	if o.Condition != config.OfBoth {
		return 0
	}
	return o.Classes
}

// named adds the name of a network to the error of one that does not fit.
func named(name string, net *model.Net, err error) (*model.Net, error) {
	if err != nil {
		return nil, fmt.Errorf("%s.%w", name, err)
	}
	return net, nil
}
