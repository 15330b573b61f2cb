package method

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
)

// Advice is a warning, with a remedy, of pictures or signals whose size convolutions do not take,
// or take with large latents only; "" if there is nothing to say. asked is the configuration
// before [Resolve], and c after it.
func Advice(asked, c config.Config, picture data.Shape) string {
	what := kind(picture)
	switch {
	case c.Decoder == config.MLP:
		fits := data.Shape{H: picture.H &^ 1, W: picture.W &^ 1, C: picture.C}
		size := fmt.Sprintf("an even height and width, not %d x %d", picture.H, picture.W)
		if signal(picture) {
			fits.H, size = 1, fmt.Sprintf("an even number of samples, not %d", picture.W)
		}
		left := asked.Decoder == config.AutoNetwork && asked.Network == config.AutoNetwork
		if !left || suitsConv(c, picture) || !suitsConv(c, fits) {
			return ""
		}
		return fmt.Sprintf("an MLP is trained although convolutions suit such %s better: they "+
			"need %s; %s, or choose --network mlp", what, size, remedy(picture))
	case len(asked.LatentShape) == 0 && awkward(picture):
		z := usualLatents(picture)
		sizes := fmt.Sprintf("%d x %d can be halved only %s: the latents of %d x %d pixels",
			picture.H, picture.W, times(halvings(picture)), z.H, z.W)
		if signal(picture) {
			sizes = fmt.Sprintf("%d samples can be halved only %s: the latents of %d samples",
				picture.W, times(halvings(picture)), z.W)
		}
		return fmt.Sprintf("%s of %s are large or cannot be halved, which is slow; %s, or set "+
			"--latent-shape", what, sizes, remedy(picture))
	}
	return ""
}

// kind is what rows of that shape are called.
func kind(picture data.Shape) string {
	if signal(picture) {
		return "signals"
	}
	return "pictures"
}

// remedy says how to make pictures or signals of a size that suits convolutions.
func remedy(picture data.Shape) string {
	if signal(picture) {
		return "crop them with --length " + suitable(picture)
	}
	return "scale them with --size " + suitable(picture)
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
	largest, coarse := largestLatent, 8
	if signal(picture) {
		largest, coarse = longestLatent, 32
	}
	z := usualLatents(picture)
	side := max(z.H, z.W)
	return side > largest || side>>(levels(z)-1) > coarse
}

// suitable is the sizes nearest to that of pictures to which they can be scaled, or the largest
// length to which signals can be cropped.
func suitable(picture data.Shape) string {
	fits := func(side int) bool {
		square := data.Shape{H: side, W: side, C: picture.C}
		if signal(picture) {
			square.H = 1
		}
		return side%2 == 0 && !awkward(square)
	}
	side := max(picture.H, picture.W)
	below, above := side, side
	for below > 2 && !fits(below) {
		below--
	}
	if signal(picture) {
		return fmt.Sprint(below)
	}
	for !fits(above) {
		above++
	}
	if below == above {
		return fmt.Sprint(side)
	}
	return fmt.Sprintf("%d or %d", below, above)
}
