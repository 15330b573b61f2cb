package figure

import (
	"errors"
	"image"

	"gonum.org/v1/plot/vg"
)

// StackBytes is the memory that drawing a stack of two diagrams takes, at most: 922 x 1,210 pixels
// of 4 bytes, half as many again for legends beside them, and fonts.
const StackBytes = 12 << 20

// Stack draws diagrams below each other, without those that have nothing to draw. If that is all of
// them, the error is ErrEmpty.
func Stack(plots ...Plot) (image.Image, error) {
	var drawn []*chart
	var besides []vg.Length
	widest := vg.Length(0)
	for _, p := range plots {
		d, err := p.build()
		if errors.Is(err, ErrEmpty) {
			continue
		}
		if err != nil {
			return nil, err
		}
		beside := d.beside()
		drawn, besides, widest = append(drawn, d), append(besides, beside), max(widest, beside)
	}
	if len(drawn) == 0 {
		return nil, ErrEmpty
	}
	canvas, all := newCanvas(width+widest, vg.Length(len(drawn))*height)
	for i, d := range drawn {
		top := all.Max.Y - vg.Length(i)*height
		c := all
		c.Min, c.Max.Y = vg.Point{X: all.Min.X, Y: top - height}, top
		c.Max.X = all.Min.X + width + besides[i]
		paint(d, c, besides[i])
	}
	return canvas.Image(), nil
}
