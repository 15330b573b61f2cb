package picture

import (
	"image"
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/figure"
)

// sines is n signals of the view's shape, channel k with 1 + k periods.
func sines(v View, n int) []float32 {
	x := make([]float32, n*v.Shape.Dim())
	for i := range x {
		t, k := i/v.Shape.C%v.Shape.W, i%v.Shape.C
		x[i] = float32(math.Sin(2 * math.Pi * float64((1+k)*t) / float64(v.Shape.W)))
	}
	return x
}

// inked are the rows of pixels of a column that have about a colour.
func inked(m image.Image, x int, want color.Color) (rows []int) {
	r, g, b, _ := want.RGBA()
	near := func(a, b uint32) bool { return math.Abs(float64(a)-float64(b)) < 0x5000 }
	for y := range m.Bounds().Dy() {
		if cr, cg, cb, _ := m.At(x, y).RGBA(); near(cr, r) && near(cg, g) && near(cb, b) {
			rows = append(rows, y)
		}
	}
	return rows
}

func view(t, c int) View {
	return View{Kind: data.Signals, Shape: data.Shape{H: 1, W: t, C: c}, Rate: 100}
}

// A curve passes where its values are: a sine through the top of its panel at a quarter of the
// signal and the bottom at three quarters, whether there are few samples or very many.
func TestCurves(t *testing.T) {
	for _, samples := range []int{64, 100_000} {
		v := view(samples, 1)
		drawn, err := v.Grid(sines(v, 3), 2)
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.layout(3, 2, "")
		if err != nil || drawn.Bounds().Size() != image.Pt(b.width, b.height) {
			t.Fatalf("%v, expected %d x %d: %v", drawn.Bounds(), b.width, b.height, err)
		}
		for i := range 3 {
			frame := b.place(i)
			for _, c := range []struct{ along, down float64 }{
				{0.25, 1 - 2.1/2.2}, {0.75, 2.1 / 2.2}, {5. / 12, 1 - 1.6/2.2},
			} {
				x := frame.Min.X + int(c.along*float64(b.panelW))
				want := float64(frame.Min.Y) + c.down*float64(b.panelH)
				rows := inked(drawn, x, figure.Colour(0))
				rows = slices.DeleteFunc(rows, func(y int) bool {
					return y < frame.Min.Y || y >= frame.Max.Y
				})
				if len(rows) == 0 || math.Abs(float64(rows[0])-want) > 4 {
					t.Errorf("%d samples, panel %d at %v: drawn at %v, expected %.0f", samples, i,
						c.along, rows, want)
				}
			}
		}
	}
}

// Each channel has its colour.
func TestCurvesChannels(t *testing.T) {
	v := view(64, 3)
	drawn, err := v.Grid(sines(v, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := v.layout(1, 1, "")
	for k := range 3 {
		if rows := inked(drawn, b.left+b.panelW/(4*(1+k)), figure.Colour(k)); len(rows) == 0 {
			t.Errorf("channel %d is not drawn", k)
		}
	}
}

// What was missing is shaded, from its first to its last sample; what is NaN is not drawn.
func TestImputations(t *testing.T) {
	v := view(80, 1)
	row := sines(v, 1)
	missing := make([]bool, 80)
	for i := 20; i < 40; i++ {
		missing[i] = true
	}
	flat := make([]float32, 80)
	row[70] = float32(math.NaN())
	drawn, err := v.Imputations([]Imputed{
		{Row: row, Missing: missing, Mean: flat, Completions: [][]float32{flat}},
	}, 3)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := v.layout(1, 1, "x")
	shade := color.RGBA{0xff, 0xe9, 0xb8, 0xff}
	at := func(share float64) color.Color {
		return drawn.At(b.left+int(share*float64(b.panelW)), b.top+3)
	}
	if at(0.26) != shade || at(0.49) != shade || at(0.24) == shade || at(0.51) == shade {
		t.Errorf("shaded: %v %v, not %v %v", at(0.26), at(0.49), at(0.24), at(0.51))
	}
	if got := v.gaps([]bool{0: true, 1: true, 4: true, 79: false}); !slices.Equal(got,
		[][2]int{{0, 2}, {4, 5}}) {
		t.Errorf("gaps %v", got)
	}
	two := view(3, 2)
	if got := two.gaps([]bool{false, true, true, true, false, false}); !slices.Equal(got,
		[][2]int{{0, 2}}) {
		t.Errorf("gaps of two channels %v", got)
	}
}

// Pictures are drawn as without a View, in the same places.
func TestViewOfPictures(t *testing.T) {
	shape := data.Shape{H: 4, W: 6, C: 1}
	v := View{Kind: data.Pictures, Shape: shape}
	x := sines(View{Shape: data.Shape{H: 1, W: 24, C: 1}}, 4)
	same := func(what string, got image.Image, err error, want image.Image, err2 error) {
		t.Helper()
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if !slices.Equal(got.(*image.Gray).Pix, want.(*image.Gray).Pix) {
			t.Errorf("%s differs", what)
		}
	}
	got, err := v.Grid(x, 3)
	want, err2 := Grid(x, shape, 3)
	same("the grid", got, err, want, err2)
	got, err = v.Pairs([2]string{}, x[:48], x[48:], 3)
	want, err2 = Pairs(x[:48], x[48:], shape, 3)
	same("pairs", got, err, want, err2)
	missing := make([]bool, 24)
	missing[3] = true
	got, err = v.Imputations([]Imputed{{
		Row: x[:24], Missing: missing, Mean: x[24:48], Completions: [][]float32{x[48:72]},
	}}, 9)
	known := slices.Clone(x[:24])
	known[3] = 0
	want, err2 = Grid(slices.Concat(x[:24], known, x[24:72]), shape, 4)
	same("imputations", got, err, want, err2)
	if v.GridBytes(4, 2) != GridBytes(shape, 4, 2) ||
		v.PairsBytes(4, 2) != PairsBytes(shape, 4, 2) {
		t.Error("the memory differs")
	}
}

// What cannot be drawn is an error; values of any size, and none at all, are drawn. Axes are in the
// units of the data.
func TestCurvesEdges(t *testing.T) {
	v := view(16, 2)
	if _, err := v.Grid(nil, 3); err == nil {
		t.Error("no rows are drawn")
	}
	if _, err := v.NewSheet(1<<30, 3); err == nil {
		t.Error("2^30 curves are drawn")
	}
	for _, value := range []float32{0, 1e30, float32(math.Inf(-1)), float32(math.NaN())} {
		x := slices.Repeat([]float32{value}, 2*v.Shape.Dim())
		if _, err := v.Grid(x, 1); err != nil {
			t.Errorf("of %v: %v", value, err)
		}
	}
	v.Ends = &[2]float64{-300, 100}
	if got := v.value(0.5); got != 0 {
		t.Errorf("0.5 is labelled %v, expected 0", got)
	}
	if v.GridBytes(4, 2) < 4*1600*100 || v.PairsBytes(4, 2) != v.GridBytes(4, 2) {
		t.Errorf("memory of %d and %d bytes", v.GridBytes(4, 2), v.PairsBytes(4, 2))
	}
	path := filepath.Join(t.TempDir(), "x.png")
	x := sines(v, 4)
	if err := v.WritePairs(path, [2]string{"a", "b"}, x[:64], x[64:], 2); err != nil {
		t.Error(err)
	}
	if err := v.WriteGrid(path, x, 2); err != nil {
		t.Error(err)
	}
}
