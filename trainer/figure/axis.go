package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// tick is a place of an axis that is marked; with a label by a longer line.
type tick struct {
	Value float64
	Label string
}

// ticker marks an axis from low to high.
type ticker interface {
	Ticks(low, high float64) []tick
}

// fixed are the same marks on every axis.
type fixed []tick

// Ticks implements ticker.
func (f fixed) Ticks(float64, float64) []tick { return f }

// caption is a text of a size, and its distance to what it names, in points.
type caption struct {
	Text          string
	Size, Padding vg.Length
}

// height of the caption and its distance; 0 without a text.
func (c caption) height() vg.Length {
	if c.Text == "" {
		return 0
	}
	return lineHeight(c.Size) + c.Padding
}

// axis is one of a chart. Min and Max are its ends, in the numbers of the data.
type axis struct {
	Min, Max   float64
	Label      caption
	Marker     ticker
	TickSize   vg.Length // of the letters
	TickLength vg.Length
	LineWidth  vg.Length
	Padding    vg.Length // from the axis to the data
	Upright    bool      // letters are read from below
}

// newAxis is an axis that nothing was shown on yet.
func newAxis() axis {
	return axis{Min: math.Inf(1), Max: math.Inf(-1), Marker: even{}, LineWidth: 0.5}
}

// include extends an axis to a value.
func (a *axis) include(v float64) { a.Min, a.Max = min(a.Min, v), max(a.Max, v) }

// Norm is the share of an axis that lies below a value.
func (a axis) Norm(v float64) float64 { return (v - a.Min) / (a.Max - a.Min) }

// usable gives an axis without extent one.
func (a *axis) usable() {
	if a.Min > a.Max {
		a.Min, a.Max = 0, 0
	}
	if a.Min == a.Max {
		a.Min, a.Max = a.Min-1, a.Max+1
	}
}

// marks are the ticks within the ends.
func (a axis) marks() (inside []tick) {
	slack := 1e-9 * (a.Max - a.Min)
	for _, t := range a.Marker.Ticks(a.Min, a.Max) {
		if t.Value >= a.Min-slack && t.Value <= a.Max+slack {
			inside = append(inside, t)
		}
	}
	return inside
}

// longest is the width of the widest label.
func (a axis) longest() (w vg.Length) {
	for _, t := range a.marks() {
		w = max(w, textStyle(a.TickSize).Width(t.Label))
	}
	return w
}

// tickGap is the distance of the labels to their lines.
const tickGap = 2

// beyond is what an axis needs beside the data: its padding, lines and labels. across is the room
// of the labels.
func (a axis) beyond(across vg.Length) vg.Length {
	return a.Padding + a.LineWidth/2 + a.TickLength + tickGap + across + a.Label.height()
}

// below is what the horizontal axis needs under the data.
func (a axis) below() vg.Length {
	if a.Upright {
		return a.beyond(a.longest())
	}
	return a.beyond(lineHeight(a.TickSize))
}

// beside is what the vertical axis needs on the left of the data.
func (a axis) beside() vg.Length { return a.beyond(a.longest()) }

// drawBelow draws the horizontal axis of the data in c.
func (a axis) drawBelow(c draw.Canvas) {
	y := c.Min.Y - a.Padding
	style := a.line()
	if a.LineWidth > 0 {
		c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
	}
	label, at := textStyle(a.TickSize), y-a.TickLength-tickGap
	label.YAlign = draw.YTop
	if a.Upright {
		label = upwards(a.TickSize)
	}
	for _, t := range a.marks() {
		x := c.X(a.Norm(t.Value))
		if length := a.length(t); length > 0 {
			c.StrokeLine2(style, x, y, x, y-length)
		}
		c.FillText(label, vg.Point{X: x, Y: at}, t.Label)
	}
	if a.Label.Text != "" {
		name := textStyle(a.Label.Size)
		name.YAlign = draw.YBottom
		bottom := c.Min.Y - a.below() + name.FontExtents().Descent
		c.FillText(name, vg.Point{X: c.Center().X, Y: bottom}, a.Label.Text)
	}
}

// drawBeside draws the vertical axis of the data in c.
func (a axis) drawBeside(c draw.Canvas) {
	x := c.Min.X - a.Padding
	style := a.line()
	if a.LineWidth > 0 {
		c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
	}
	label, at := textStyle(a.TickSize), x-a.TickLength-tickGap
	label.XAlign = draw.XRight
	for _, t := range a.marks() {
		y := c.Y(a.Norm(t.Value))
		if length := a.length(t); length > 0 {
			c.StrokeLine2(style, x, y, x-length, y)
		}
		c.FillText(label, vg.Point{X: at, Y: middle(y, a.TickSize)}, t.Label)
	}
	if a.Label.Text != "" {
		name := upwards(a.Label.Size)
		name.XAlign, name.YAlign = draw.XCenter, draw.YTop
		left := c.Min.X - a.beside()
		c.FillText(name, vg.Point{X: left, Y: c.Center().Y}, a.Label.Text)
	}
}

// length of the line of a tick: half of it without a label.
func (a axis) length(t tick) vg.Length {
	if t.Label == "" {
		return a.TickLength / 2
	}
	return a.TickLength
}

func (a axis) line() draw.LineStyle {
	return draw.LineStyle{Color: textStyle(1).Color, Width: max(a.LineWidth, 0.5)}
}
