package method

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/likelihood"
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
		if suitsConv(c, picture) {
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
		resolveLatents(&c, m, picture, given, &p)
	}
	p.Expect(o.Decoder == config.Conv || len(o.LatentShape) == 0, "latent_shape", o.LatentShape,
		"nothing, since the latents of an MLP are vectors (--latent), or --decoder conv")
	p.Expect(o.Decoder != config.Conv || !byColumns(*o), "decoder",
		o.Decoder, "mlp, since the likelihood is by columns (--likelihood)")
	p.Expect(o.Likelihood != config.ClippedLikelihood || c.As.Bounded(), "likelihood", o.Likelihood,
		"gaussian, since numbers of signals and tables may lie beyond -1 and 1")
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
	if p := s.Products.Precision(); p != blas.Float32 {
		text += fmt.Sprintf("; products in %s", p)
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
		"encoder_channels", "unet_channels", "classes", "as", "likelihood", "range",
		"sample_rate",
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
	if c.As == data.Columns && !given("obs_noise") {
		c.ObsNoise = stored.ObsNoise // by the number of rows (Suited)
	}
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
		return named("decoder", net, err, numbers("decoder_channels", o.DecoderChannels))
	}
	l, err := newLikelihood(o, picture.Dim())
	if err != nil {
		return nil, err
	}
	widths := append([]int{o.Latent}, o.DecoderWidths...)
	return model.NewDecoder(products, ofBoth(o), l.Outputs()-l.Dim(),
		append(widths, picture.Dim())...), nil
}

// newLikelihood returns the likelihood of rows of dim numbers that the options describe. auto that
// nothing has resolved is gaussian.
func newLikelihood(o config.Options, dim int) (likelihood.Likelihood, error) {
	if o.Likelihood == config.AutoLikelihood {
		o.Likelihood = config.GaussianLikelihood
	}
	return likelihood.New(o.Likelihood, o.ObsNoise, dim)
}

// byColumns reports whether the likelihood is by columns.
func byColumns(o config.Options) bool {
	switch o.Likelihood {
	case config.AutoLikelihood, config.GaussianLikelihood, config.ClippedLikelihood:
		return false
	}
	return true
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
		return named("encoder", net, err, numbers("encoder_channels", o.EncoderChannels))
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
		return named("score", net, err, numbers("score_width", o.ScoreWidth),
			numbers("score_heads", o.ScoreHeads), numbers("latent_shape", o.LatentShape))
	case config.ScoreUNet:
		net, err := model.NewUNet(products, latentShape(o), model.UNet{
			Channels: o.UNetChannels, Blocks: o.UNetBlocks, Heads: o.ScoreHeads,
			Embedding: o.ScoreWidth, Features: o.ScoreFeatures, Condition: conditions(o),
		})
		return named("score", net, err, numbers("unet_channels", o.UNetChannels),
			numbers("score_heads", o.ScoreHeads), numbers("latent_shape", o.LatentShape))
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

// named adds to the error of a network that does not fit its name and the keys that it comes from.
func named(name string, net *model.Net, err error, keys ...string) (*model.Net, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %s.%w", strings.Join(keys, ", "), name, err)
	}
	return net, nil
}

// numbers is a key with its value.
func numbers(key string, value any) string {
	return key + " = " + config.Text(value)
}
