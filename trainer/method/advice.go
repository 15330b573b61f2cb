package method

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// Advice is a warning, with a remedy, of pictures whose size convolutions do not take, or take with
// large latents only; "" if there is nothing to say. asked is the configuration before [Resolve],
// and c after it.
func Advice(asked, c config.Config, picture data.Shape) string {
	const remedy = "scale them with --size %s"
	switch {
	case c.Decoder == config.MLP:
		even := data.Shape{H: picture.H &^ 1, W: picture.W &^ 1, C: picture.C}
		left := asked.Decoder == config.AutoNetwork && asked.Network == config.AutoNetwork
		if !left || model.SuitsConv(layer.Shape(picture)) || !model.SuitsConv(layer.Shape(even)) {
			return ""
		}
		return fmt.Sprintf("an MLP is trained although convolutions suit such pictures better: "+
			"they need an even height and width, not %d x %d; "+remedy+", or choose --network mlp",
			picture.H, picture.W, suitable(picture))
	case len(asked.LatentShape) == 0 && awkward(picture):
		z := usualLatents(picture)
		return fmt.Sprintf("pictures of %d x %d can be halved only %s: the latents of %d x %d "+
			"pixels are large or cannot be halved, which is slow; "+remedy+
			", or set --latent-shape",
			picture.H, picture.W, times(halvings(picture)), z.H, z.W, suitable(picture))
	}
	return ""
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// awkward reports whether the usual latents of pictures are larger than those of other sizes, or
// those of the coarsest level of a U-Net on them.
func awkward(picture data.Shape) bool {
	const coarse = 8
	z := usualLatents(picture)
	side := max(z.H, z.W)
	return side > largestLatent || side>>(levels(z)-1) > coarse
}

// suitable is the sizes nearest to that of pictures to which they can be scaled.
func suitable(picture data.Shape) string {
	fits := func(side int) bool {
		square := data.Shape{H: side, W: side, C: picture.C}
		return side%2 == 0 && !awkward(square)
	}
	side := max(picture.H, picture.W)
	below, above := side, side
	for below > 2 && !fits(below) {
		below--
	}
	for !fits(above) {
		above++
	}
	if below == above {
		return fmt.Sprint(side)
	}
	return fmt.Sprintf("%d or %d", below, above)
}
