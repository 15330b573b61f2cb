package figure

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// falling has two falling series, one with numbers that no axis can show.
func falling() Plot {
	return Plot{
		Title: "Some errors", XLabel: "steps k", YLabel: "error (nats)", LogY: true,
		Series: []Series{
			{
				Name: "measured", X: []float64{1, 2, 3, 4}, Y: []float64{1, 0.1, 0.01, math.NaN()},
				Err: []float64{0.5, 0.05, 1, 1}, Points: true,
			},
			{
				Name: "exact", X: []float64{1, 2, 3, 4}, Y: []float64{1, 0.1, 0.01, 0}, Line: true,
				Dashed: true,
			},
		},
	}
}

func written(t *testing.T, p Plot, name string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("of before"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(path); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%d files, %v: expected the figure alone", len(left), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// coloured returns the bounding box and the number of the pixels of a colour.
func coloured(picture image.Image, c color.RGBA) (box image.Rectangle, n int) {
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if color.RGBAModel.Convert(picture.At(x, y)) == c {
				box = box.Union(image.Rect(x, y, x+1, y+1))
				n++
			}
		}
	}
	return box, n
}

// The picture has the right size, and both series in their colours, in the part of the diagram
// where their points are.
func TestPNG(t *testing.T) {
	picture, err := png.Decode(bytes.NewReader(written(t, falling(), "a.png")))
	if err != nil {
		t.Fatal(err)
	}
	// 6.4 x 4.2 inches of 144 dots, rounded up.
	if size := picture.Bounds().Size(); size != image.Pt(922, 605) {
		t.Errorf("%v pixels", size)
	}
	box, n := coloured(picture, colours[0])
	if n < 200 || box.Min.X > 250 || box.Max.X < 500 {
		t.Errorf("%d pixels of the first series, in %v", n, box)
	}
	if box, n := coloured(picture, colours[1]); n < 200 || box.Dx() < 500 || box.Dy() < 200 {
		t.Errorf("%d pixels of the second series, in %v", n, box)
	}
	if _, n := coloured(picture, colours[2]); n > 0 {
		t.Errorf("%d pixels of a third series", n)
	}
}

// The drawing has all texts, and is the same each time.
func TestSVG(t *testing.T) {
	text := written(t, falling(), "a.svg")
	for _, want := range []string{"<svg", "Some errors", "steps k", "error (nats)", "measured",
		"exact", ">0.1<"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %q in the drawing", want)
		}
	}
	if !bytes.Equal(text, written(t, falling(), "a.svg")) {
		t.Error("two drawings of a figure differ")
	}
}

// Points that an axis cannot show are left out, error bars stay above zero on a logarithmic axis,
// and colours are numbered by the series, drawn or not.
func TestVisible(t *testing.T) {
	nan := math.NaN()
	p := Plot{LogY: true, Series: []Series{
		{X: []float64{1}, Y: []float64{0}, Points: true},
		{
			X: []float64{1, nan, math.Inf(1), 4}, Y: []float64{2, 1, 1, -1},
			Err: []float64{5, 1, 1, 1}, Points: true,
		},
		{X: []float64{1}, Y: []float64{3}, Line: true, Same: true},
		{X: []float64{1}, Y: []float64{3}, Line: true},
	}}
	series := p.visible()
	if len(series) != 3 {
		t.Fatalf("%d series", len(series))
	}
	for i, colour := range []int{1, 1, 2} {
		if series[i].colour != colour || len(series[i].xy) != 1 {
			t.Errorf("series %d: colour %d, %d points", i, series[i].colour, len(series[i].xy))
		}
	}
	low, high := math.Log10(2/0.1), math.Log10(7./2) // from 2 to a twentieth of it, and to 2 + 5
	if bar := series[0].bars[0]; math.Abs(bar.High-high) > 1e-12 || math.Abs(bar.Low-low) > 1e-12 {
		t.Errorf("error bar %v", bar)
	}
}

// The legend is in a corner without lines.
func TestLegend(t *testing.T) {
	for _, c := range []struct {
		y         []float64
		top, left bool
	}{
		{[]float64{3, 2, 1}, true, false},
		{[]float64{1, 2, 3}, true, true},
		{[]float64{3, 3, 3, 1, 3, 3, 3}, false, false},
	} {
		x := make([]float64, len(c.y))
		for i := range x {
			x[i] = float64(i)
		}
		drawn, err := Plot{Series: []Series{{Name: "a", X: x, Y: c.y, Line: true}}}.build()
		if err != nil {
			t.Fatal(err)
		}
		if drawn.Legend.Top != c.top || drawn.Legend.Left != c.left {
			t.Errorf("%v: the legend is at the top: %v, left: %v", c.y, drawn.Legend.Top,
				drawn.Legend.Left)
		}
	}
}

// The legend is beside the diagram where something is drawn in every corner: here a curve above and
// a line below it, which passes the corners between its two points.
func TestLegendBeside(t *testing.T) {
	curve := Series{Name: "a curve", X: []float64{0, 1, 2}, Y: []float64{3, 2.9, 3}, Line: true}
	floor := Series{Name: "what rows reach", X: []float64{0, 2}, Y: []float64{1, 1}, Line: true}
	whisker := Series{X: []float64{0, 2}, Y: []float64{2, 2}, Err: []float64{1, 1}}
	for _, c := range []struct {
		series []Series
		beside bool
	}{
		{[]Series{curve}, false}, {[]Series{curve, floor}, true},
		{[]Series{{Name: "a", X: whisker.X, Y: whisker.Y, Err: whisker.Err}}, true},
	} {
		drawn, err := Plot{Series: c.series}.build()
		if err != nil {
			t.Fatal(err)
		}
		if got := drawn.beside() > 0; got != c.beside {
			t.Errorf("%d series: beside: %t", len(c.series), got)
		}
	}
}

// The legend of many series is beside the diagram, which keeps its size.
func TestCrowd(t *testing.T) {
	p := Plot{}
	for i := range crowd + 1 {
		p.Series = append(p.Series, Series{
			Name: strings.Repeat("n", 12), X: []float64{0, 1}, Y: []float64{0, float64(i)},
			Line: true,
		})
	}
	few, err := png.Decode(bytes.NewReader(written(t, Plot{Series: p.Series[1:]}, "few.png")))
	if err != nil {
		t.Fatal(err)
	}
	many, err := png.Decode(bytes.NewReader(written(t, p, "many.png")))
	if err != nil {
		t.Fatal(err)
	}
	width := few.Bounds().Dx()
	if few.Bounds().Dy() != many.Bounds().Dy() || many.Bounds().Dx() < width+100 {
		t.Errorf("%v and %v", few.Bounds(), many.Bounds())
	}
	// The third series has the same colour in both: as a line in the diagram and as a line in the
	// legend.
	if box, _ := coloured(many, colours[2]); box.Max.X < width || box.Min.X > width/2 {
		t.Errorf("the third series is in %v of %v", box, many.Bounds())
	}
}

// A logarithmic axis of any length has labels, short numbers at their places.
func TestTicks(t *testing.T) {
	for _, span := range [][2]float64{{1, 1.5}, {0.136, 0.31}, {0.012, 0.03}, {0.5, 200},
		{1e-12, 1}, {1e-30, 1e30}} {
		low, high := math.Log10(span[0]), math.Log10(span[1])
		labels := 0
		for _, tick := range (decades{}).Ticks(low, high) {
			if tick.Value < low || tick.Value > high {
				t.Errorf("%v: a mark at %v", span, tick.Value)
			}
			if tick.Label == "" {
				continue
			}
			labels++
			if v, err := strconv.ParseFloat(tick.Label, 64); err != nil ||
				math.Abs(math.Log10(v)-tick.Value) > 1e-9 || len(tick.Label) > 6 {
				t.Errorf("%v: %q at %v", span, tick.Label, tick.Value)
			}
		}
		if labels < 2 || labels > 16 {
			t.Errorf("%v: %d labels", span, labels)
		}
	}
}

// A linear axis has 4 to 9 labels, evenly spaced, which say where they are.
func TestEvenTicks(t *testing.T) {
	for _, span := range [][2]float64{{0, 120}, {3, 81}, {-0.3, 0.31}, {0.0123, 0.0125}, {5e4, 2e6},
		{-1e-9, 1e-9}, {1e9, 3e9}, {0, 1}, {0, 2.01}, {0, 2.51}, {0, 5.01}} {
		var at []float64
		for _, tick := range (even{}).Ticks(span[0], span[1]) {
			if tick.Value < span[0] || tick.Value > span[1] {
				t.Errorf("%v: a mark at %v", span, tick.Value)
			}
			if tick.Label == "" {
				continue
			}
			v, err := strconv.ParseFloat(tick.Label, 64)
			off := math.Abs(v - tick.Value)
			if err != nil || off > 1e-9*(span[1]-span[0]) || len(tick.Label) > 8 {
				t.Errorf("%v: %q at %v", span, tick.Label, tick.Value)
			}
			at = append(at, tick.Value)
		}
		if len(at) < 4 || len(at) > 9 {
			t.Fatalf("%v: labels at %v", span, at)
		}
		for i := 2; i < len(at); i++ {
			if step := at[1] - at[0]; math.Abs(at[i]-at[i-1]-step) > 1e-9*step {
				t.Errorf("%v: labels at %v", span, at)
			}
		}
	}
}

// A logarithmic axis has the same part of the picture as a linear one.
func TestHeight(t *testing.T) {
	height := func(logarithmic bool) int {
		p := Plot{Title: "t", XLabel: "x", YLabel: "a label nearly as long as the axis",
			LogY: logarithmic, Series: []Series{
				{X: []float64{0, 1, 2}, Y: []float64{1, 10, 100}, Line: true},
			}}
		picture, err := png.Decode(bytes.NewReader(written(t, p, "a.png")))
		if err != nil {
			t.Fatal(err)
		}
		box, _ := coloured(picture, colours[0])
		return box.Dy()
	}
	if linear, logarithmic := height(false), height(true); logarithmic < linear-10 {
		t.Errorf("%d pixels high, a linear axis is %d", logarithmic, linear)
	}
}

// The error of a plot that cannot be drawn or written names the file, and no file is left.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	empty := Plot{Series: []Series{{X: []float64{1}, Y: []float64{math.Inf(1)}, Line: true}}}
	for _, c := range []struct {
		plot Plot
		path string
		want error
	}{
		{falling(), "a.pdf", errFormat}, {empty, "a.png", ErrEmpty}, {Plot{}, "a.svg", ErrEmpty},
		{falling(), "none/a.png", fs.ErrNotExist},
	} {
		path := filepath.Join(dir, c.path)
		if err := c.plot.Write(path); !errors.Is(err, c.want) || !strings.Contains(err.Error(),
			path) {
			t.Errorf("%s: %v, expected %v", c.path, err, c.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files, %v", len(left), err)
	}
	defer func() {
		if recover() != errLengths {
			t.Error("series of unequal lengths did not panic")
		}
	}()
	Plot{Series: []Series{{X: []float64{1, 2}, Y: []float64{1}}}}.visible()
}
