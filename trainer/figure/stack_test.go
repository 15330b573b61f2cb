package figure

import (
	"errors"
	"image"
	"image/color"
	"testing"
)

// part is the pixels of a picture between two lines.
type part struct {
	image.Image
	from, to int
}

func (p part) Bounds() image.Rectangle {
	return image.Rect(0, 0, p.Image.Bounds().Dx(), p.to-p.from)
}
func (p part) At(x, y int) color.Color { return p.Image.At(x, p.from+y) }

// Diagrams stand below each other in their order, and those without points are left out.
func TestStack(t *testing.T) {
	falling := falling()
	one := Plot{Series: []Series{{X: []float64{1, 2}, Y: []float64{1, 2}, Line: true}}}
	canvas, err := Stack(falling, Plot{}, one)
	if err != nil {
		t.Fatal(err)
	}
	size := canvas.Bounds().Size()
	if size.X != 922 || size.Y != 1210 {
		t.Fatalf("%v pixels", size)
	}
	for i, want := range []bool{true, false} { // only the first has a second series
		half := part{canvas, i * size.Y / 2, (i + 1) * size.Y / 2}
		if _, n := coloured(half, colours[0]); n < 200 {
			t.Errorf("diagram %d: %d pixels of its first series", i, n)
		}
		if _, n := coloured(half, colours[1]); (n > 200) != want {
			t.Errorf("diagram %d: %d pixels of its second series", i, n)
		}
	}
	if _, err := Stack(Plot{}, Plot{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing to draw: %v", err)
	}
}
