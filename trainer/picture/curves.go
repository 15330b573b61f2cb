package picture

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/plume-ml/plume/trainer/figure"
)

// look is how a curve is drawn: in the colour of its channel, but where there is only one, others
// are told apart by colours.
type look int

const (
	fine look = iota
	thin      // faint
	pale      // broad, behind others
)

// curve is a signal, T x C.
type curve struct {
	x    []float32
	look look
	only []bool // T x C: where it is drawn; nil: everywhere
}

// panel is the curves in one frame.
type panel struct {
	lines []curve
	gaps  [][2]int // shaded samples, the first and the one after the last
}

// A board of panels. All have the same axes, which the first of the last line is labelled with.
type board struct {
	cols, rows     int
	panelW, panelH int
	left, top      int // of the first panel
	width, height  int
	canvas         *vgimg.Canvas
	image          draw.Image // that canvas draws on
}

const (
	boardWidth           = 1600 // pixels, about, of all panels of a line
	narrowest, widest    = 110, 420
	panelGap, labelSpace = 8, 16
	yLabelSpace          = 60
	mostValue            = 4 // values beyond do not widen the axis
)

// layout is the places of n panels, cols to a line.
func (v View) layout(n, cols int, caption string) (board, error) {
	if cols < 1 {
		panic(panicColumns)
	}
	if n < 1 {
		return board{}, errNone
	}
	b := board{cols: min(n, cols), left: yLabelSpace, top: panelGap}
	b.rows = (n + b.cols - 1) / b.cols
	b.panelW = min(max(boardWidth/b.cols, narrowest), widest)
	b.panelH = b.panelW * 9 / 20
	if caption != "" {
		b.top += labelSpace
	}
	b.width = b.left + b.cols*(b.panelW+panelGap)
	if b.rows > gridMax/b.width/(b.panelH+panelGap)-1 {
		return board{}, fmt.Errorf("a picture of %d curves is too large", n)
	}
	b.height = b.top + b.rows*(b.panelH+panelGap) + labelSpace
	return b, nil
}

// newBoard is an empty board with a caption.
func (v View) newBoard(n, cols int, caption string) (board, error) {
	b, err := v.layout(n, cols, caption)
	if err != nil {
		return b, err
	}
	b.canvas = vgimg.NewWith(vgimg.UseWH(vg.Length(b.width), vg.Length(b.height)),
		vgimg.UseDPI(int(vg.Inch.Points()))) // a point is a pixel
	b.image = b.canvas.Image()
	b.text(b.left, labelSpace-2, caption)
	return b, nil
}

// text writes with its base line at y, from x on.
func (b board) text(x, y int, text string) {
	face := font.Drawer{
		Dst: b.image, Src: image.NewUniform(color.Gray{0x40}), Face: figure.Face(labelSize),
		Dot: fixed.P(x, y),
	}
	face.DrawString(text)
}

// place is the frame of panel i.
func (b board) place(i int) image.Rectangle {
	at := image.Pt(b.left+i%b.cols*(b.panelW+panelGap), b.top+i/b.cols*(b.panelH+panelGap))
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(b.panelW, b.panelH))}
}

// draw draws panels.
func (v View) draw(panels []panel, cols int, caption string) (image.Image, error) {
	b, err := v.newBoard(len(panels), cols, caption)
	if err != nil {
		return nil, err
	}
	lo, hi := limits(panels)
	for i, p := range panels {
		frame := b.place(i)
		draw.Draw(b.image, frame, image.NewUniform(color.Gray{0xf4}), image.Point{}, draw.Src)
		for _, g := range p.gaps {
			x := func(at int) int { return frame.Min.X + at*b.panelW/v.Shape.W }
			shade := image.Rect(x(g[0]), frame.Min.Y, max(x(g[1]), x(g[0])+1), frame.Max.Y)
			draw.Draw(b.image, shade, image.NewUniform(color.RGBA{0xff, 0xe9, 0xb8, 0xff}),
				image.Point{}, draw.Src)
		}
		at := frameOf(b, frame, lo, hi, v.Shape.W)
		if zero := at.y(0); lo < 0 && hi > 0 {
			stroke(b.canvas, color.Gray{0xd0}, 1, vg.Path{
				{Type: vg.MoveComp, Pos: vg.Point{X: at.x(0), Y: zero}},
				{Type: vg.LineComp, Pos: vg.Point{X: at.x(v.Shape.W - 1), Y: zero}},
			})
		}
		for _, c := range p.lines {
			v.drawCurve(b.canvas, c, at)
		}
	}
	v.labelAxes(b, lo, hi)
	return b.image, nil
}

// limits are the smallest and largest value of all panels, with a margin.
func limits(panels []panel) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, p := range panels {
		for _, c := range p.lines {
			for i, v := range c.x {
				if v == v && (c.only == nil || c.only[i]) {
					y := max(-mostValue, min(mostValue, float64(v)))
					lo, hi = min(lo, y), max(hi, y)
				}
			}
		}
	}
	if !(lo < hi) {
		return -1, 1
	}
	margin := 0.05 * (hi - lo)
	return lo - margin, hi + margin
}

// axes place samples and values in a frame, in points from the lower left corner of the canvas.
type axes struct {
	left, bottom  float64
	width, height float64
	lo, hi        float64
	samples       int
}

func frameOf(b board, frame image.Rectangle, lo, hi float64, samples int) axes {
	return axes{
		left: float64(frame.Min.X), bottom: float64(b.height - frame.Max.Y),
		width: float64(b.panelW), height: float64(b.panelH), lo: lo, hi: hi, samples: samples,
	}
}

func (a axes) x(sample int) vg.Length {
	return vg.Length(a.left + a.width*(float64(sample)+0.5)/float64(a.samples))
}

// y is where a value is; those beyond the limits are at the border.
func (a axes) y(v float64) vg.Length {
	share := (max(a.lo, min(a.hi, v)) - a.lo) / (a.hi - a.lo)
	return vg.Length(a.bottom + a.height*share)
}

// drawCurve draws the channels of a curve.
func (v View) drawCurve(to vg.Canvas, c curve, at axes) {
	for k := range v.Shape.C {
		colour := figure.Colour(k)
		width := 1.2
		switch alone := v.Shape.C == 1; {
		case c.look == pale && alone:
			colour, width = color.RGBA{0xb4, 0xb4, 0xb4, 0xff}, 2.6
		case c.look == pale:
			colour, width = mixed(colour, 0.35), 2.6
		case c.look == thin && alone:
			colour, width = mixed(figure.Colour(1), 0.7), 0.7
		case c.look == thin:
			colour, width = mixed(colour, 0.6), 0.7
		}
		stroke(to, colour, width, v.path(c, k, at))
	}
}

// mixed is a share of a colour with white.
func mixed(c color.RGBA, share float64) color.RGBA {
	mix := func(v uint8) uint8 { return uint8(math.Round(255 - share*(255-float64(v)))) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

func stroke(to vg.Canvas, c color.Color, width float64, path vg.Path) {
	if len(path) < 2 {
		return
	}
	to.SetColor(c)
	to.SetLineWidth(vg.Length(width))
	to.Stroke(path)
}

// path is a channel. If there are many samples for each pixel, it goes through the smallest and the
// largest of these, which is what all of them would cover.
func (v View) path(c curve, channel int, at axes) (path vg.Path) {
	each := max(1, v.Shape.W/(2*int(at.width)))
	kind := vg.MoveComp
	add := func(sample int, value float32) {
		pos := vg.Point{X: at.x(sample), Y: at.y(float64(value))}
		path = append(path, vg.PathComp{Type: kind, Pos: pos})
		kind = vg.LineComp
	}
	for lo := 0; lo < v.Shape.W; lo += each {
		least, most := float32(math.Inf(1)), float32(math.Inf(-1))
		for t := lo; t < min(v.Shape.W, lo+each); t++ {
			i := t*v.Shape.C + channel
			if x := c.x[i]; x == x && (c.only == nil || c.only[i]) {
				least, most = min(least, x), max(most, x)
			}
		}
		switch {
		case least > most: // nothing is drawn here
			kind = vg.MoveComp
		case each == 1:
			add(lo, least)
		default:
			add(lo, least)
			add(lo, most)
		}
	}
	return path
}

// gaps are the runs of samples of which a channel or more is missing.
func (v View) gaps(missing []bool) (all [][2]int) {
	for t := range v.Shape.W {
		for _, m := range missing[t*v.Shape.C : (t+1)*v.Shape.C] {
			if !m {
				continue
			}
			if n := len(all); n > 0 && all[n-1][1] == t {
				all[n-1][1] = t + 1
			} else if n == 0 || all[n-1][1] <= t {
				all = append(all, [2]int{t, t + 1})
			}
		}
	}
	return all
}

// labelAxes labels the first panel of the last line, in the units of the data.
func (v View) labelAxes(b board, lo, hi float64) {
	frame := b.place((b.rows - 1) * b.cols)
	face := figure.Face(labelSize)
	metrics := face.Metrics()
	ascent, descent := metrics.Ascent.Ceil(), metrics.Descent.Ceil()
	for _, y := range []struct {
		value float64
		at    int
	}{{hi, frame.Min.Y + ascent}, {lo, frame.Max.Y - descent}} {
		text := strconv.FormatFloat(v.value(y.value), 'g', 3, 64)
		b.text(b.left-4-font.MeasureString(face, text).Ceil(), y.at, text)
	}
	last := fmt.Sprintf("%d samples", v.Shape.W)
	if seconds := float64(v.Shape.W) / v.Rate; v.Rate > 0 && seconds >= 0.1 {
		last = strconv.FormatFloat(seconds, 'g', 3, 64) + " s"
	} else if v.Rate > 0 {
		last = strconv.FormatFloat(1000*seconds, 'g', 3, 64) + " ms"
	}
	base := frame.Max.Y + ascent + 2
	b.text(frame.Min.X, base, "0")
	b.text(frame.Max.X-font.MeasureString(face, last).Ceil(), base, last)
}

// value is a number in the units of the data.
func (v View) value(x float64) float64 {
	if v.Ends == nil {
		return x
	}
	return v.Ends[0] + (x+1)/2*(v.Ends[1]-v.Ends[0])
}
