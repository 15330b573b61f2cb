package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"image/color"
)

// point is a place in the numbers of the data.
type point struct{ X, Y float64 }

// at is where a point is on a canvas that the axes span.
func (p point) at(c draw.Canvas, x, y axis) vg.Point {
	return vg.Point{X: c.X(x.Norm(p.X)), Y: c.Y(y.Norm(p.Y))}
}

func extendTo(points []point, x, y *axis) {
	for _, p := range points {
		x.include(p.X)
		y.include(p.Y)
	}
}

// line goes through points.
type line struct {
	points []point
	style  draw.LineStyle
}

func (l *line) extend(x, y *axis) { extendTo(l.points, x, y) }

func (l *line) draw(c draw.Canvas, x, y axis) {
	path := make([]vg.Point, len(l.points))
	for i, p := range l.points {
		path[i] = p.at(c, x, y)
	}
	c.StrokeLines(l.style, c.ClipLinesXY(path)...)
}

// dots are points; those beyond the axes are not drawn.
type dots struct {
	points []point
	style  draw.GlyphStyle
}

func (d *dots) extend(x, y *axis) { extendTo(d.points, x, y) }

func (d *dots) draw(c draw.Canvas, x, y axis) {
	for _, p := range d.points {
		c.DrawGlyph(d.style, p.at(c, x, y))
	}
}

// reach is how far an error bar goes down and up from its point.
type reach struct{ Low, High float64 }

// whiskers are vertical error bars of points, with caps.
type whiskers struct {
	points  []point
	reaches []reach
	style   draw.LineStyle
}

func (w *whiskers) extend(x, y *axis) {
	extendTo(w.points, x, y)
	for i, p := range w.points {
		y.include(p.Y - w.reaches[i].Low)
		y.include(p.Y + w.reaches[i].High)
	}
}

func (w *whiskers) draw(c draw.Canvas, x, y axis) {
	for i, p := range w.points {
		low := point{p.X, p.Y - w.reaches[i].Low}.at(c, x, y)
		high := point{p.X, p.Y + w.reaches[i].High}.at(c, x, y)
		stem := []vg.Point{low, high}
		c.StrokeLines(w.style, c.ClipLinesXY(stem)...)
		for _, end := range stem {
			c.StrokeLines(w.style, c.ClipLinesXY([]vg.Point{
				{X: end.X - capWidth/2, Y: end.Y}, {X: end.X + capWidth/2, Y: end.Y},
			})...)
		}
	}
}

// bars go from 0 to the right, one at each number of the vertical axis from 0 on.
type bars struct {
	lengths       []float64
	colour        color.Color
	thick, offset vg.Length
}

func (b *bars) extend(x, y *axis) {
	x.include(0)
	for i, v := range b.lengths {
		x.include(v)
		y.include(float64(i))
	}
}

func (b *bars) draw(c draw.Canvas, x, y axis) {
	for i, v := range b.lengths {
		from, to := point{0, float64(i)}.at(c, x, y), point{v, float64(i)}.at(c, x, y)
		low, high := from.Y+b.offset-b.thick/2, from.Y+b.offset+b.thick/2
		c.FillPolygon(b.colour, c.ClipPolygonXY([]vg.Point{
			{X: from.X, Y: low}, {X: to.X, Y: low}, {X: to.X, Y: high}, {X: from.X, Y: high},
		}))
	}
}

// cells are squares in colours, of a matrix whose first row is at the top.
type cells struct {
	n      int
	colour func(i int) color.Color // of element i, row by row
}

// place is the middle of an element.
func (m *cells) place(i int) point { return point{float64(i % m.n), float64(m.n - 1 - i/m.n)} }

func (m *cells) extend(x, y *axis) {
	for _, a := range []*axis{x, y} {
		a.include(-0.5)
		a.include(float64(m.n) - 0.5)
	}
}

func (m *cells) draw(c draw.Canvas, x, y axis) {
	for i := range m.n * m.n {
		p := m.place(i)
		low := point{p.X - 0.5, p.Y - 0.5}.at(c, x, y)
		high := point{p.X + 0.5, p.Y + 0.5}.at(c, x, y)
		c.SetColor(m.colour(i))
		c.Fill(vg.Rectangle{Min: low, Max: high}.Path())
	}
}

// numbers are written at their places.
type numbers struct {
	at      []point
	texts   []string
	colours []color.Color
}

func (n *numbers) extend(x, y *axis) { extendTo(n.at, x, y) }

func (n *numbers) draw(c draw.Canvas, x, y axis) {
	const size = 6.5
	for i, p := range n.at {
		style := textStyle(size)
		style.Color = n.colours[i]
		c.FillText(style, p.at(c, x, y), n.texts[i])
	}
}

// stroke is a line style of a width in points.
func stroke(c color.Color, width float64) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: vg.Points(width)}
}
