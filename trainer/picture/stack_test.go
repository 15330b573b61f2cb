package picture

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"golang.org/x/image/font"

	"github.com/plume-ml/plume/trainer/figure"
)

// Each label is on the left of its picture, and the pictures are below each other.
func TestStack(t *testing.T) {
	filled := func(w, h int, c color.Color) image.Image {
		img := image.NewNRGBA(image.Rect(5, 7, 5+w, 7+h)) // not at the origin
		draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
		return img
	}
	red, blue := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}
	img := Stack([]Labelled{{"a", filled(30, 20, red)}, {"four", filled(50, 40, blue)}})
	left := font.MeasureString(figure.Face(labelSize), "four").Ceil() + 2*margin
	wantSize(t, img, left+50+margin, margin+20+margin+40+margin)
	wantPixel(t, img, left, margin, red)
	wantPixel(t, img, left+29, margin+19, red)
	wantPixel(t, img, left+30, margin, color.White)
	wantPixel(t, img, left, 2*margin+20, blue)
	wantPixel(t, img, left+49, 2*margin+59, blue)
	dark := 0
	for y := range img.Bounds().Dy() {
		for x := range left {
			if r, _, _, _ := img.At(x, y).RGBA(); r == 0 {
				if dark++; x < margin || x >= left-margin {
					t.Fatalf("part of a label at (%d, %d)", x, y)
				}
			}
		}
	}
	if dark == 0 {
		t.Error("no labels")
	}
}
