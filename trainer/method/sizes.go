package method

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// halvings is how often a picture can be halved on the way to latents of at most 16 x 16: twice, if
// it is small. A signal (H = 1) is halved to at most 64 samples, and four times if it is short, so
// that its latents have a quarter of the numbers of one channel.
func halvings(picture data.Shape) (n int) {
	z, least, largest := layer.Shape(picture), 2, largestLatent
	if signal(picture) {
		least, largest = 4, longestLatent
	}
	for even(z) && (n < least || max(z.H, z.W) > largest) {
		z, n = halved(z, 1), n+1
	}
	return n
}

// largestLatent is the largest side of a latent that is not asked for, and longestLatent the most
// samples of a signal's; latentChannels its channels.
const largestLatent, longestLatent, latentChannels = 16, 64, 4

// signal reports whether convolutions take pictures of that shape for signals.
func signal(picture data.Shape) bool { return picture.H == 1 }

// even reports whether pictures can be halved in each direction, or signals in their length.
func even(picture layer.Shape) bool {
	return picture.W%2 == 0 && (picture.H%2 == 0 || signal(data.Shape(picture)))
}

// halved is the shape of pictures halved n times in each direction, or of signals in their length.
func halved(picture layer.Shape, n int) layer.Shape {
	if !signal(data.Shape(picture)) {
		picture.H >>= n
	}
	picture.W >>= n
	return picture
}

// usualLatents are the latents of pictures of the given shape, unless others are asked for.
func usualLatents(picture data.Shape) layer.Shape {
	z := halved(layer.Shape(picture), halvings(picture))
	z.C = latentChannels
	return z
}

// resolveLatents sets the shape of spatial latents and the stages between them and the picture.
func resolveLatents(
	c *config.Config, m spec, picture data.Shape, given func(key string) bool, p *config.Problems,
) {
	o := &c.Options
	if c.As == data.Numbers || c.As == data.Columns {
		p.Expect(false, "decoder", o.Decoder, "mlp, since the numbers of a row have no order; or "+
			"read an array as --as signals")
		return
	}
	if len(o.LatentShape) == 0 {
		p.Expect(halvings(picture) > 0, "decoder", o.Decoder, fmt.Sprintf(
			"mlp, since %s of %v cannot be halved; or %s", kind(picture), picture, remedy(picture)))
		z := usualLatents(picture)
		o.LatentShape = []int{z.H, z.W, z.C}
	}
	z := latentShape(*o)
	n := 0
	for z.W<<n < picture.W {
		n++
	}
	if fits := halved(layer.Shape(picture), n); fits.H != z.H || z.W<<n != picture.W ||
		!signal(picture) && z.H<<n != picture.H {
		p.Expect(false, "latent_shape", o.LatentShape, unlikeLatents(*o, picture, given))
		return
	}
	if len(o.DecoderChannels) == 0 {
		o.DecoderChannels = stages(n+1, 64, 32)
	}
	p.Expect(len(o.DecoderChannels) == n+1, "decoder_channels", o.DecoderChannels, fmt.Sprintf(
		"%d numbers, since latents of %v are doubled %s to %s of %v: %s",
		n+1, z, times(n), kind(picture), picture, flag("decoder_channels", stages(n+1, 64, 32))))
	if m.encoder != nil && o.Encoder == config.Conv {
		if len(o.EncoderChannels) == 0 {
			o.EncoderChannels = slices.Clone(o.DecoderChannels)
		}
		p.Expect(len(o.EncoderChannels) == n+1, "encoder_channels", o.EncoderChannels,
			fmt.Sprintf("%d numbers, as for decoder_channels", n+1))
	}
	p.Expect(!given("latent") || o.Latent == z.Len(), "latent", o.Latent, fmt.Sprintf(
		"%d, the numbers of latent_shape = %s: leave it out, or set latent_shape", z.Len(),
		config.Text(o.LatentShape)))
	o.Latent = z.Len()
}

// unlikeLatents says which latents pictures would have, where those asked for do not fit them.
func unlikeLatents(o config.Options, picture data.Shape, given func(key string) bool) string {
	if signal(picture) {
		return fmt.Sprintf("1, and the %d samples of the signals, halved some times: %s",
			picture.W, fitting(o, picture, given))
	}
	return fmt.Sprintf(
		"height and width of the pictures, %d and %d, halved the same number of times: %s",
		picture.H, picture.W, fitting(o, picture, given))
}

// fitting names the flags of latents that fit the pictures, and of what follows from them.
func fitting(o config.Options, picture data.Shape, given func(key string) bool) string {
	n, z := halvings(picture), usualLatents(picture)
	if n == 0 {
		return remedy(picture)
	}
	text := flag("latent_shape", []int{z.H, z.W, z.C})
	if given("latent") {
		text += " " + flag("latent", []int{z.Len()})
	}
	if len(o.DecoderChannels) > 0 && len(o.DecoderChannels) != n+1 {
		text += " " + flag("decoder_channels", stages(n+1, 64, 32))
	}
	if len(o.EncoderChannels) > 0 && len(o.EncoderChannels) != n+1 {
		text += " " + flag("encoder_channels", stages(n+1, 64, 32))
	}
	return text
}

// flag is a key's flag with numbers.
func flag(key string, values []int) string {
	return "--" + config.Key{Name: key}.Flag() + " " +
		strings.ReplaceAll(config.Text(values), ", ", ",")
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
	o.UNetChannels = slices.Repeat([]int{128}, levels(latentShape(*o)))
	o.UNetChannels[0] = 64
}

// levels is the number of levels of a U-Net on latents of the given shape: they are halved down to
// at most 4 x 4 pixels, or 16 samples, as far as they can be.
func levels(z layer.Shape) (n int) {
	coarsest := 4
	if signal(data.Shape(z)) {
		coarsest = 16
	}
	for n = 1; even(z) && max(z.H, z.W) > coarsest; n++ {
		z = halved(z, 1)
	}
	return n
}

// latentShape is the shape of a latent.
func latentShape(o config.Options) layer.Shape {
	if s := o.LatentShape; len(s) == 3 {
		return layer.Shape{H: s[0], W: s[1], C: s[2]}
	}
	return layer.Vector(o.Latent)
}

// suitsConv reports whether convolutions suit rows of the given shape: pictures as model.SuitsConv
// says, and signals of 32 samples or more that can be halved.
func suitsConv(c config.Config, picture data.Shape) bool {
	const short = 32
	if c.As == data.Signals {
		return picture.W >= short && even(layer.Shape(picture))
	}
	return model.SuitsConv(layer.Shape(picture))
}
