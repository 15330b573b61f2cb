package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
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
	xy     plotter.XYs
	bars   plotter.YErrors
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
		out.xy = append(out.xy, plotter.XY{X: place(x, logX), Y: place(y, logY)})
		if s.Err != nil {
			out.bars = append(out.bars, bar(y, s.Err[i], logY))
		}
	}
	return out
}

// place returns the position of a value on an axis. (gonum's own logarithmic scale puts the axis'
// label at the mean of the ends, far from the middle of the axis.)
func place(v float64, logarithmic bool) float64 {
	if logarithmic {
		return math.Log10(v)
	}
	return v
}

// lowest is the share of a value at which the lower end of its error bar stops on a logarithmic
// axis, which cannot show zero.
const lowest = 0.05

func bar(y, e float64, logarithmic bool) struct{ Low, High float64 } {
	if math.IsNaN(e) || math.IsInf(e, 0) {
		e = 0
	}
	if logarithmic {
		return struct{ Low, High float64 }{-math.Log10(max(1-e/y, lowest)), math.Log10(1 + e/y)}
	}
	return struct{ Low, High float64 }{e, e}
}

// withBars gives gonum's error bars their points and lengths.
type withBars struct {
	plotter.XYs
	plotter.YErrors
}

// add draws the series.
func (s shown) add(out *plot.Plot) error {
	colour := colours[s.colour%len(colours)]
	var legend []plot.Thumbnailer
	if s.Line {
		line, err := plotter.NewLine(s.xy)
		if err != nil {
			return err
		}
		line.Color, line.Width = colour, vg.Points(lineWidth)
		if s.Dashed {
			line.Dashes = []vg.Length{vg.Points(dashLength), vg.Points(dashLength * 0.6)}
		}
		out.Add(line)
		legend = append(legend, line)
	}
	if s.bars != nil {
		bars, err := plotter.NewYErrorBars(withBars{s.xy, s.bars})
		if err != nil {
			return err
		}
		bars.Color = colour
		bars.Width, bars.CapWidth = vg.Points(lineWidth*0.7), vg.Points(capWidth)
		out.Add(bars)
	}
	if s.Points {
		dots, err := plotter.NewScatter(s.xy)
		if err != nil {
			return err
		}
		dots.GlyphStyle = draw.GlyphStyle{
			Color: colour, Radius: vg.Points(glyphSize), Shape: glyphs[s.colour%len(glyphs)],
		}
		out.Add(dots)
		legend = append(legend, dots)
	}
	if s.Name != "" {
		out.Legend.Add(s.Name, legend...)
	}
	return nil
}
