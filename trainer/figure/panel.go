package figure

import (
	"image"
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

const (
	panelColumns = 4                    // panels in a line
	panelWidth   = 1200. / 4 / dpi * 72 // points, so that a line has 1,200 pixels
	panelHeight  = 0.78 * panelWidth
	legendHigh   = 20 // points
	mostPanels   = 12
)

// arrange draws panels in lines, below a legend of names, if there are any.
func arrange(panels []*chart, names []string) image.Image {
	lines, top := (len(panels)+panelColumns-1)/panelColumns, vg.Length(0)
	if names != nil {
		top = legendHigh
	}
	canvas, all := newCanvas(panelColumns*panelWidth, vg.Length(lines)*panelHeight+top)
	legend(draw.Crop(all, 0, 0, all.Max.Y-top, 0), names)
	for i, p := range panels {
		x := vg.Length(i%panelColumns) * panelWidth
		y := all.Max.Y - top - vg.Length(i/panelColumns+1)*panelHeight
		p.Draw(panelOf(all, x, y, panelWidth, panelHeight))
	}
	return canvas.Image()
}

// newCanvas is a picture of a size in points.
func newCanvas(width, height vg.Length) (*vgimg.Canvas, draw.Canvas) {
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	return canvas, draw.New(canvas)
}

// panelOf is the part of a canvas with the lower left corner (x, y), without margins.
func panelOf(all draw.Canvas, x, y, width, height vg.Length) draw.Canvas {
	const gap = 4
	all.Min, all.Max = vg.Point{X: x + gap, Y: y + gap},
		vg.Point{X: x + width - gap, Y: y + height - gap}
	return all
}

// layout draws a grid of diagrams, whose axes have the same lengths and stand exactly below and
// beside each other, with a gap between them; nil leaves a place empty. Only those of the first
// column and of the last row have labels that need space.
func layout(plots [][]*chart, all draw.Canvas, gap vg.Length) {
	const edge, beyond = 4, 8 // beyond an axis is half of its last label
	rows, columns := vg.Length(len(plots)), vg.Length(len(plots[0]))
	var left, bottom, top vg.Length
	for i, line := range plots {
		l, _, _, t := pads(line[0], all)
		left, top = max(left, l), max(top, t)
		if i < len(plots)-1 {
			continue
		}
		for _, p := range line {
			_, _, b, t := pads(p, all)
			bottom, top = max(bottom, b), max(top, t)
		}
	}
	size := all.Size()
	width := (size.X-left-2*edge-beyond+gap)/columns - gap
	height := (size.Y-bottom-top-2*edge+gap)/rows - gap
	for i, line := range plots {
		for j, p := range line {
			if p == nil {
				continue
			}
			x := all.Min.X + edge + left + vg.Length(j)*(width+gap)
			y := all.Max.Y - edge - top - vg.Length(i)*(height+gap)
			drawAt(p, all, vg.Rectangle{Min: vg.Point{X: x, Y: y - height},
				Max: vg.Point{X: x + width, Y: y}})
		}
	}
}

// pads are how far a diagram reaches beyond the ends of its axes, and what they are short of.
func pads(p *chart, c draw.Canvas) (left, right, bottom, top vg.Length) {
	inside := p.DataCanvas(c)
	return inside.Min.X - c.Min.X, c.Max.X - inside.Max.X, inside.Min.Y - c.Min.Y,
		c.Max.Y - inside.Max.Y
}

// drawAt draws a diagram whose axes are the sides of a rectangle.
func drawAt(p *chart, all draw.Canvas, at vg.Rectangle) {
	c := all
	c.Rectangle = at
	for range 4 { // how far it reaches depends a little on its size
		left, right, bottom, top := pads(p, c)
		c.Min = vg.Point{X: at.Min.X - left, Y: at.Min.Y - bottom}
		c.Max = vg.Point{X: at.Max.X + right, Y: at.Max.Y + top}
	}
	p.Draw(c)
}

// panel returns an empty diagram with small letters.
func panel() *chart {
	p := newChart()
	p.Blank = true
	for _, a := range []*axis{&p.X, &p.Y} {
		a.TickSize, a.TickLength, a.Label.Padding, a.Padding = 6.5, 3, 2, 1
	}
	p.X.Label.Size, p.Y.Label.Size = 8, 7
	return p
}

// legend writes names beside squares of their colours, from left to right.
func legend(c draw.Canvas, names []string) {
	small := textStyle(9)
	small.XAlign = draw.XLeft
	x, y := c.Min.X+8, (c.Min.Y+c.Max.Y)/2
	for i, name := range names {
		const side = 7
		square := vg.Rectangle{Min: vg.Point{X: x, Y: y - side/2}, Max: vg.Point{X: x + side,
			Y: y + side/2}}
		c.SetColor(colours[i])
		c.Fill(square.Path())
		c.FillText(small, vg.Point{X: x + side + 4, Y: y}, name)
		x += side + 4 + small.Width(name) + 16
	}
}

// dotsOf are points in a colour through which others are seen.
func dotsOf(points []point, c color.RGBA) *dots {
	return &dots{points, draw.GlyphStyle{
		Color: color.NRGBA{c.R, c.G, c.B, 0x90}, Radius: pointSize, Shape: draw.CircleGlyph{},
	}}
}

// lineOf is a line in a colour.
func lineOf(points []point, c color.Color) *line { return &line{points, stroke(c, lineWidth)} }
