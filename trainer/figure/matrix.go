package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
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
	plots := [][]*chart{{
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
func (m Matrices) panel(title string, at []float64, end float64, named bool) *chart {
	n := len(m.Things)
	p := panel()
	p.Title.Text, p.Title.Size, p.Title.Padding = title, 8, 3
	p.Add(&cells{n, func(i int) color.Color { return diverging(at[i], end) }})
	size := vg.Length(max(5, min(6.5, 150/float64(n))))
	every := (n + mostNames - 1) / mostNames
	var across, down []tick
	for i := 0; i < n; i += every {
		name := shorten(m.Things[i], thingLetters)
		across = append(across, tick{Value: float64(i), Label: name + " "})
		if !named {
			name = " "
		}
		down = append(down, tick{Value: float64(n - 1 - i), Label: name})
	}
	p.X.Marker, p.Y.Marker = fixed(across), fixed(down)
	p.X.TickSize, p.Y.TickSize = size, size
	p.X.Upright = true
	p.X.LineWidth, p.Y.LineWidth = 0, 0
	p.X.TickLength, p.Y.TickLength = 0, 0
	p.X.Min, p.X.Max = -0.5, float64(n)-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	if n <= 8 {
		p.Add(numbersOf(at, n, end))
	}
	return p
}

// numbersOf writes the numbers of a matrix into its cells.
func numbersOf(at []float64, n int, end float64) *numbers {
	all := &numbers{}
	for i, v := range at {
		if math.IsNaN(v) {
			continue
		}
		colour := color.Color(color.Black)
		if math.Abs(v) > 0.7*end {
			colour = color.White
		}
		all.at = append(all.at, (&cells{n: n}).place(i))
		all.texts = append(all.texts, fmt.Sprintf("%.2f", v))
		all.colours = append(all.colours, colour)
	}
	return all
}

// diverging is the colour of a number: from vermilion at -end over white to blue at end.
func diverging(v, end float64) color.Color {
	if math.IsNaN(v) {
		return color.Gray{Y: 0xbb}
	}
	full, t := colours[0], min(1, math.Abs(v)/end)
	if v < 0 {
		full = colours[1]
	}
	mix := func(v uint8) uint8 { return uint8(math.Round(255 + t*(float64(v)-255))) }
	return color.RGBA{mix(full.R), mix(full.G), mix(full.B), 0xff}
}
