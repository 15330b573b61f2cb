// Package figure draws lines and points with error bars, on linear or logarithmic axes, as PNG and
// SVG (Plot), and compares tables column by column and in pairs of columns (Tables, Matrices).
package figure

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/plume-ml/plume/trainer/file"
)

// Series is one line, one set of points, or both, in one colour.
type Series struct {
	Name   string    // in the legend; none if empty
	X, Y   []float64 // of the same length; points that an axis cannot show are left out
	Err    []float64 // half the length of the error bars; nil for none
	Line   bool
	Points bool
	Dashed bool // a dashed line, for references
	Same   bool // in the colour of the series before
}

// Plot is one diagram. The labels of the axes should say the units.
type Plot struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool
	Series                []Series
}

// Size of a diagram, in points (1/72 inch), and dots per inch of a PNG.
const (
	width  = 6.4 * vg.Inch
	height = 4.2 * vg.Inch
	margin = 0.08 * vg.Inch
	dpi    = 144
)

// ErrEmpty is the error of figures that have nothing to draw.
var ErrEmpty = errors.New("the figure has no point to draw")

var errFormat = errors.New("expected a name that ends in .png or .svg")

const errLengths = "figure: X, Y and Err of a series differ in length"

// Write draws the plot into a .png or .svg file, atomically. A plot without a point that its axes
// can show is an error, as are those of the file system.
func (p Plot) Write(path string) error {
	if err := p.write(path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (p Plot) write(path string) error {
	drawn, err := p.build()
	if err != nil {
		return err
	}
	beside := drawn.beside()
	var canvas interface {
		vg.CanvasWriterTo
		vg.CanvasSizer
	}
	switch filepath.Ext(path) {
	case ".png":
		canvas = vgimg.PngCanvas{
			Canvas: vgimg.NewWith(vgimg.UseWH(width+beside, height), vgimg.UseDPI(dpi)),
		}
	case ".svg":
		canvas = vgsvg.New(width+beside, height)
	default:
		return errFormat
	}
	paint(drawn, draw.New(canvas), beside)
	return file.Write(file.OS, path, func(w io.Writer) error {
		_, err := canvas.WriteTo(w)
		return err
	})
}

// build lays the diagram out.
func (p Plot) build() (*chart, error) {
	out := newChart()
	out.Title.Text, out.X.Label.Text, out.Y.Label.Text = p.Title, p.XLabel, p.YLabel
	series := p.visible()
	if len(series) == 0 {
		return nil, ErrEmpty
	}
	for _, s := range series {
		s.add(out)
	}
	p.axes(out)
	out.placeLegend(series)
	return out, nil
}

// visible returns the parts of the series that the axes can show.
func (p Plot) visible() (series []shown) {
	colour := -1
	for _, s := range p.Series {
		if !s.Same || colour < 0 {
			colour++
		}
		if out := s.shown(p.LogX, p.LogY); len(out.xy) > 0 {
			out.colour = colour
			series = append(series, out)
		}
	}
	return series
}

// onAxis reports whether an axis can show a value.
func onAxis(v float64, logarithmic bool) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (v > 0 || !logarithmic)
}
