package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Matrices are square matrices about the same N things, such as the associations of columns.
type Matrices struct {
	Things []string // their names
	Names  [2]string
	At     [2][]float64 // N x N, in [-1, 1]; NaN: not known
}

const mostNames = 30 // of a matrix, at its side

// Draw draws both matrices and the second one minus the first, side by side. The picture is 1,200
// pixels wide, and larger with long names.
func (m Matrices) Draw() (image.Image, error) {
	n := len(m.Things)
	if n == 0 {
		return nil, ErrEmpty
	}
	difference := make([]float64, n*n)
	largest := 0.0
	for i := range difference {
		difference[i] = m.At[1][i] - m.At[0][i]
		if d := math.Abs(difference[i]); !math.IsNaN(d) {
			largest = max(largest, d)
		}
	}
	end := scaleEnd(largest)
	plots := [][]*plot.Plot{{
		m.panel(m.Names[0]+", colours to ±1", m.At[0], 1, true),
		m.panel(m.Names[1]+", colours to ±1", m.At[1], 1, false),
		m.panel(fmt.Sprintf("%s - %s, colours to ±%v", m.Names[1], m.Names[0], end), difference,
			end, false),
	}}
	width := vg.Length(panelColumns * panelWidth)
	height := width/3 + vg.Length(3)*vg.Length(m.longest())
	canvas, all := newCanvas(width, height)
	layout(plots, all, 14)
	return canvas.Image(), nil
}

// scaleEnd is a round number at which the colours of differences end.
func scaleEnd(largest float64) float64 {
	for _, end := range []float64{0.1, 0.2, 0.5, 1} {
		if largest <= end {
			return end
		}
	}
	return 2
}

// longest is the number of letters of the longest name that is drawn.
func (m Matrices) longest() (letters int) {
	for _, name := range m.Things {
		letters = max(letters, len([]rune(shorten(name, thingLetters))))
	}
	return letters
}

const thingLetters = 16

// panel draws one matrix, its first row at the top, with colours from -end to end.
func (m Matrices) panel(title string, at []float64, end float64, named bool) *plot.Plot {
	n := len(m.Things)
	p := panel()
	p.Title.Text, p.Title.TextStyle.Font.Size, p.Title.Padding = title, 8, 3
	heat := plotter.NewHeatMap(grid{at, n}, diverging{})
	heat.Min, heat.Max, heat.NaN = -end, end, color.Gray{Y: 0xbb}
	p.Add(heat)
	size := vg.Length(max(5, min(6.5, 150/float64(n))))
	every := (n + mostNames - 1) / mostNames
	var across, down []plot.Tick
	for i := 0; i < n; i += every {
		name := shorten(m.Things[i], thingLetters)
		across = append(across, plot.Tick{Value: float64(i), Label: name + " "})
		if !named {
			name = " "
		}
		down = append(down, plot.Tick{Value: float64(n - 1 - i), Label: name})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(across), plot.ConstantTicks(down)
	p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size = size, size
	p.X.Tick.Label.Rotation = math.Pi / 2
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
	p.X.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	p.X.Tick.Length, p.Y.Tick.Length = 0, 0
	p.X.Min, p.X.Max = -0.5, float64(n)-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	if n <= 8 {
		p.Add(numbersOf(at, n, end))
	}
	return p
}

// numbersOf writes the numbers of a matrix into its cells.
func numbersOf(at []float64, n int, end float64) *plotter.Labels {
	labels := &plotter.Labels{}
	for i, v := range at {
		if math.IsNaN(v) {
			continue
		}
		labels.XYs = append(labels.XYs, plotter.XY{X: float64(i % n), Y: float64(n - 1 - i/n)})
		labels.Labels = append(labels.Labels, fmt.Sprintf("%.2f", v))
		style := plot.New().X.Tick.Label
		style.Font.Variant, style.Font.Size = "Sans", 6.5
		style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
		if math.Abs(v) > 0.7*end {
			style.Color = color.White
		}
		labels.TextStyle = append(labels.TextStyle, style)
	}
	return labels
}

// grid is a matrix as a heat map reads it, whose rows go upwards.
type grid struct {
	at []float64
	n  int
}

func (g grid) Dims() (c, r int)   { return g.n, g.n }
func (g grid) Z(c, r int) float64 { return g.at[(g.n-1-r)*g.n+c] }
func (g grid) X(c int) float64    { return float64(c) }
func (g grid) Y(r int) float64    { return float64(r) }

// diverging are colours from vermilion over white to blue.
type diverging struct{}

// Colors implements palette.Palette.
func (diverging) Colors() []color.Color {
	const half = 100
	out := make([]color.Color, 2*half+1)
	for i := range out {
		end, t := colours[0], float64(i-half)/half
		if t < 0 {
			end, t = colours[1], -t
		}
		mix := func(v uint8) uint8 { return uint8(math.Round(255 + t*(float64(v)-255))) }
		out[i] = color.RGBA{mix(end.R), mix(end.G), mix(end.B), 0xff}
	}
	return out
}
