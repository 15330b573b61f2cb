package picture

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"github.com/plume-ml/plume/trainer/figure"
)

// Labelled is a picture with a label.
type Labelled struct {
	Label   string
	Picture image.Image
}

const margin = 8 // pixels around a picture and a label

const labelSize = 13 // pixels of a line of labels

// Stack draws the pictures below each other, with their labels on the left.
func Stack(pictures []Labelled) image.Image {
	face := figure.Face(labelSize)
	ascent := face.Metrics().CapHeight.Ceil()
	measure := func(text string) int { return font.MeasureString(face, text).Ceil() }
	var label, width, height int
	for _, p := range pictures {
		label = max(label, measure(p.Label))
		width = max(width, p.Picture.Bounds().Dx())
		height += p.Picture.Bounds().Dy() + margin
	}
	left := label + 2*margin
	canvas := image.NewNRGBA(image.Rect(0, 0, left+width+margin, height+margin))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	y := margin
	for _, p := range pictures {
		from := p.Picture.Bounds()
		to := image.Rectangle{Min: image.Pt(left, y), Max: image.Pt(left, y).Add(from.Size())}
		draw.Draw(canvas, to, p.Picture, from.Min, draw.Src)
		text := font.Drawer{Dst: canvas, Src: image.NewUniform(color.Black), Face: face}
		text.Dot = fixed.P(margin+label-measure(p.Label), y+(from.Dy()+ascent)/2)
		text.DrawString(p.Label)
		y += from.Dy() + margin
	}
	return canvas
}
