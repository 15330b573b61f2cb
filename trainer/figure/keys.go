package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// keys are the names of series, each beside a piece of its line and one of its points. They stand
// in a corner of the diagram, or beside it.
type keys struct {
	Top, Left bool
	Beside    bool
	all       []key
}

type key struct {
	name string
	line *line // nil: none
	dots *dots
}

const (
	keySize  = 9  // of the letters, in points
	keyWidth = 24 // of the line
	keyGap   = 2
	keySpace = 5 // between line and name
)

// size of all of them together.
func (k keys) size() (size vg.Point) {
	for _, e := range k.all {
		size.X = max(size.X, keyWidth+keySpace+textStyle(keySize).Width(e.name))
		size.Y += lineHeight(keySize) + keyGap
	}
	return size
}

// Draw draws them in their corner of a canvas.
func (k keys) Draw(c draw.Canvas) {
	size := k.size()
	x, y := c.Max.X-size.X, c.Min.Y+size.Y
	if k.Left {
		x = c.Min.X
	}
	if k.Top {
		y = c.Max.Y
	}
	name := textStyle(keySize)
	name.XAlign = draw.XLeft
	for _, e := range k.all {
		at := y - lineHeight(keySize)/2
		if e.line != nil {
			c.StrokeLine2(e.line.style, x, at, x+keyWidth, at)
		}
		if e.dots != nil {
			c.DrawGlyphNoClip(e.dots.style, vg.Point{X: x + keyWidth/2, Y: at})
		}
		place := vg.Point{X: x + keyWidth + keySpace, Y: middle(at, keySize)}
		c.FillText(name, place, e.name)
		y -= lineHeight(keySize) + keyGap
	}
}
