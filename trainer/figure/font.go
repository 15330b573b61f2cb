package figure

import (
	"image/color"
	"math"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// outlines are the one face of all figures and labels. Package plot, which would lay diagrams out,
// brings twelve faces into every program that imports it, 4 MB.
var outlines = sync.OnceValue(func() *opentype.Font {
	face, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		panic(errFace)
	}
	return face
})

const errFace = "figure: the embedded face is damaged"

var letters = sync.OnceValue(func() text.Handler {
	return text.Plain{Fonts: font.NewCache(font.Collection{{Font: typeface, Face: outlines()}})}
})

// Face is the face of figures at a size in pixels, for labels of other pictures. It is for one
// goroutine at a time.
func Face(size float64) xfont.Face {
	options := opentype.FaceOptions{Size: size, DPI: 72, Hinting: xfont.HintingFull}
	face, err := opentype.NewFace(outlines(), &options)
	if err != nil {
		panic(errFace)
	}
	return face
}

var typeface = font.Font{Typeface: "Liberation", Variant: "Sans"}

// middle is where text of a size stands whose small letters and digits are centred at y.
func middle(y, size vg.Length) vg.Length {
	return y + textStyle(size).FontExtents().Descent/2
}

// textStyle is black text of a size in points, centred at its place.
func textStyle(size vg.Length) text.Style {
	return text.Style{
		Color: color.Black, Font: font.From(typeface, size), Handler: letters(),
		XAlign: draw.XCenter, YAlign: draw.YCenter,
	}
}

// upwards is text that is read from below, of which a place is the end.
func upwards(size vg.Length) text.Style {
	s := textStyle(size)
	s.Rotation, s.XAlign = math.Pi/2, draw.XRight
	return s
}

// lineHeight is the height of a line of text.
func lineHeight(size vg.Length) vg.Length {
	extents := textStyle(size).FontExtents()
	return extents.Ascent + extents.Descent
}
