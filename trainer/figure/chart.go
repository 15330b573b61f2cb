package figure

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chart is a diagram: marks of data, between two axes.
type chart struct {
	Title  caption
	X, Y   axis
	Legend keys
	Blank  bool // without a background, since labels may lie where a neighbour begins

	marks []mark
}

// mark is something that a chart shows.
type mark interface {
	// extend makes room for the mark on the axes.
	extend(x, y *axis)
	// draw draws it on c, which the axes span.
	draw(c draw.Canvas, x, y axis)
}

// newChart is an empty chart with large letters.
func newChart() *chart {
	c := &chart{Title: caption{Size: 12, Padding: 6}, X: newAxis(), Y: newAxis()}
	for _, a := range []*axis{&c.X, &c.Y} {
		a.Label.Size, a.Label.Padding = 11, 4
		a.TickSize, a.TickLength, a.Padding = 9, 8, 5
	}
	return c
}

// Add shows marks, the later ones above.
func (p *chart) Add(marks ...mark) {
	for _, m := range marks {
		m.extend(&p.X, &p.Y)
		p.marks = append(p.marks, m)
	}
}

// NominalY names the numbers from 0 on of the vertical axis.
func (p *chart) NominalY(names ...string) {
	var ticks fixed
	for i, name := range names {
		ticks = append(ticks, tick{float64(i), name})
	}
	p.Y.Marker, p.Y.TickLength = ticks, 0
}

// Draw draws the chart on a canvas.
func (p *chart) Draw(c draw.Canvas) {
	inside := p.DataCanvas(c)
	if !p.Blank {
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
	}
	if p.Title.Text != "" {
		title := textStyle(p.Title.Size)
		title.YAlign = draw.YTop
		c.FillText(title, vg.Point{X: c.Center().X, Y: c.Max.Y}, p.Title.Text)
	}
	p.drawGrid(inside)
	p.X.drawBelow(inside)
	p.Y.drawBeside(inside)
	for _, m := range p.marks {
		m.draw(inside, p.X, p.Y)
	}
	p.Legend.Draw(inside)
}

// drawGrid draws faint lines through the labelled places of the axes.
func (p *chart) drawGrid(c draw.Canvas) {
	style := draw.LineStyle{Color: color.Gray{Y: 0xdd}, Width: 0.25}
	for _, t := range p.X.marks() {
		if x := c.X(p.X.Norm(t.Value)); t.Label != "" {
			c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
		}
	}
	for _, t := range p.Y.marks() {
		if y := c.Y(p.Y.Norm(t.Value)); t.Label != "" {
			c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
		}
	}
}

// DataCanvas is the part of a canvas that the axes span. The rest is for axes, title and those
// labels that are longer than the way to the end of their axis.
func (p *chart) DataCanvas(c draw.Canvas) draw.Canvas {
	p.X.usable()
	p.Y.usable()
	left, bottom, top := p.Y.beside(), p.X.below(), p.Title.height()
	var right vg.Length
	size := c.Size()
	for range 3 { // the room for labels depends a little on the length of the axes
		width, height := size.X-left-right, size.Y-bottom-top
		for _, t := range p.X.marks() {
			half := textStyle(p.X.TickSize).Width(t.Label) / 2
			if p.X.Upright {
				half = lineHeight(p.X.TickSize) / 2
			}
			share := vg.Length(p.X.Norm(t.Value))
			left, right = max(left, half-share*width), max(right, half-(1-share)*width)
		}
		for _, t := range p.Y.marks() {
			if t.Label == "" {
				continue
			}
			half, share := lineHeight(p.Y.TickSize)/2, vg.Length(p.Y.Norm(t.Value))
			above := p.Title.height() + half - (1-share)*height
			bottom, top = max(bottom, half-share*height), max(top, above)
		}
	}
	return draw.Crop(c, left, -right, bottom, -top)
}
