package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// crowd is the largest number of names in a legend inside the diagram.
const crowd = 6

// steps is the number of points at which the line between two points is checked.
const steps = 64

// placeLegend puts the legend into the first corner in which nothing is drawn, and beside the
// diagram if there is none.
func (p *chart) placeLegend(series []shown) {
	if len(p.Legend.all) > crowd {
		p.Legend.Beside = true
		return
	}
	page := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: width, Y: height}}}
	inside := p.DataCanvas(draw.Crop(page, margin, -margin, margin, -margin)).Size()
	size := p.Legend.size()
	w, h := float64((size.X+margin)/inside.X), float64((size.Y+margin)/inside.Y)
	for _, corner := range []keys{{Top: true}, {Top: true, Left: true}, {}, {Left: true}} {
		x, y := 1.0, 0.0
		if corner.Left {
			x = 0
		}
		if corner.Top {
			y = 1
		}
		if !p.drawnIn(series, func(at point) bool {
			return math.Abs(p.X.Norm(at.X)-x) < w && math.Abs(p.Y.Norm(at.Y)-y) < h
		}) {
			p.Legend.Top, p.Legend.Left = corner.Top, corner.Left
			return
		}
	}
	p.Legend.Beside = true
}

// drawnIn reports whether a line, a point or an error bar of the series passes a box.
func (p *chart) drawnIn(series []shown, box func(point) bool) bool {
	between := func(a, b point) bool {
		for k := range steps + 1 {
			t := float64(k) / steps
			if box(point{a.X + t*(b.X-a.X), a.Y + t*(b.Y-a.Y)}) {
				return true
			}
		}
		return false
	}
	for _, s := range series {
		for i, at := range s.xy {
			if box(at) || s.Line && i > 0 && between(s.xy[i-1], at) {
				return true
			}
			if s.bars != nil &&
				between(point{at.X, at.Y - s.bars[i].Low}, point{at.X, at.Y + s.bars[i].High}) {
				return true
			}
		}
	}
	return false
}

// beside returns the width of a legend beside the diagram, which it widens; 0 for a legend inside.
func (p *chart) beside() vg.Length {
	if !p.Legend.Beside {
		return 0
	}
	return p.Legend.size().X + 2*margin
}

// paint draws the diagram, with its legend inside or in a strip of that width on the right.
func paint(drawn *chart, c draw.Canvas, beside vg.Length) {
	legend := drawn.Legend
	if beside > 0 {
		drawn.Legend = keys{}
	}
	drawn.Draw(draw.Crop(c, margin, -margin-beside, margin, -margin))
	if beside > 0 {
		legend.Top, legend.Left = true, true
		below := drawn.Title.height()
		legend.Draw(draw.Crop(c, c.Max.X-c.Min.X-beside, -margin, margin, -margin-below))
	}
}
