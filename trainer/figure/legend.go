package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// crowd is the largest number of names in a legend inside the diagram: no corner has space for
// more.
const crowd = 6

// beside returns the width of a legend beside the diagram, which it widens; 0 for a legend inside.
func (p Plot) beside(drawn *chart) vg.Length {
	names := 0
	for _, s := range p.visible() {
		if s.Name != "" {
			names++
		}
	}
	if names <= crowd {
		return 0
	}
	return drawn.Legend.size().X + 2*margin
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
