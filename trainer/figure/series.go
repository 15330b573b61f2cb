package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colours can be told apart with every kind of colour blindness: Okabe and Ito, "Color universal
// design" (2008), without the yellow, which is faint on white, and with black last.
var colours = []color.RGBA{
	{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}, // blue
	{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}, // vermilion
	{R: 0x00, G: 0x9e, B: 0x73, A: 0xff}, // green
	{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff}, // purple
	{R: 0xe6, G: 0x9f, B: 0x00, A: 0xff}, // orange
	{R: 0x56, G: 0xb4, B: 0xe9, A: 0xff}, // sky blue
	{R: 0x00, G: 0x00, B: 0x00, A: 0xff},
}

// glyphs change with the colour, for readers who cannot tell colours apart.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{},
	draw.PyramidGlyph{}, draw.CrossGlyph{},
}

const (
	lineWidth  = 1.4 // points
	glyphSize  = 2.8
	capWidth   = 5
	dashLength = 5
)

// shown is the part of a series that the axes can show.
type shown struct {
	Series
	colour int // index into colours
	xy     []point
	bars   []reach
}

func (s Series) shown(logX, logY bool) shown {
	if len(s.X) != len(s.Y) || s.Err != nil && len(s.Err) != len(s.X) {
		panic(errLengths)
	}
	out := shown{Series: s}
	for i, x := range s.X {
		y := s.Y[i]
		if !onAxis(x, logX) || !onAxis(y, logY) {
			continue
		}
		out.xy = append(out.xy, point{X: place(x, logX), Y: place(y, logY)})
		if s.Err != nil {
			out.bars = append(out.bars, bar(y, s.Err[i], logY))
		}
	}
	return out
}

// place returns the position of a value on an axis.
func place(v float64, logarithmic bool) float64 {
	if logarithmic {
		return math.Log10(v)
	}
	return v
}

// lowest is the share of a value at which the lower end of its error bar stops on a logarithmic
// axis, which cannot show zero.
const lowest = 0.05

func bar(y, e float64, logarithmic bool) reach {
	if math.IsNaN(e) || math.IsInf(e, 0) {
		e = 0
	}
	if logarithmic {
		return reach{-math.Log10(max(1-e/y, lowest)), math.Log10(1 + e/y)}
	}
	return reach{e, e}
}

// add draws the series.
func (s shown) add(out *chart) {
	colour := colours[s.colour%len(colours)]
	entry := key{name: s.Name}
	if s.Line {
		entry.line = &line{s.xy, stroke(colour, lineWidth)}
		if s.Dashed {
			entry.line.style.Dashes = []vg.Length{dashLength, dashLength * 0.6}
		}
		out.Add(entry.line)
	}
	if s.bars != nil {
		out.Add(&whiskers{s.xy, s.bars, stroke(colour, lineWidth*0.7)})
	}
	if s.Points {
		entry.dots = &dots{s.xy, draw.GlyphStyle{
			Color: colour, Radius: glyphSize, Shape: glyphs[s.colour%len(glyphs)],
		}}
		out.Add(entry.dots)
	}
	if s.Name != "" {
		out.Legend.all = append(out.Legend.all, entry)
	}
}
