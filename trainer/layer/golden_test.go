package layer_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
)

// Every layer is compared with values and gradients that testdata/golden.py recorded from PyTorch
// in float64. A case more there is a test more here.
const goldenFile = "testdata/golden.safetensors"

// Float32 rounds by 6e-8. Sums of some dozen terms, and the exponentials of attention, make the
// error a few times larger: the tolerances are three times the largest deviations seen with native,
// OpenBLAS and gonum (in brackets), all of them attention's.
var (
	valueTolerance    = reference.Tolerance{RMS: 1e-6, Largest: 6e-6} // (2.8e-7, 1.8e-6)
	gradientTolerance = reference.Tolerance{RMS: 1e-6, Largest: 1e-5} // (3.4e-7, 3.1e-6)
)

// goldenSizes says which layer a case is of.
type goldenSizes struct {
	Layer                                   string
	Channels, Size, Groups, Heads, Features int
	SiLU                                    bool
	Slowest, Fastest                        float64
}

func (s goldenSizes) build() layer.Layer {
	return map[string]layer.Layer{
		"Linear":  layer.Linear{Channels: s.Channels},
		"SiLU":    layer.SiLU{},
		"Sum":     layer.Sum{},
		"SumSiLU": layer.SumSiLU{},
		"Moments": layer.Moments{},
		"Sinusoids": layer.Sinusoids{
			Features: s.Features, Slowest: s.Slowest, Fastest: s.Fastest,
		},
	}[s.Layer]
}

func TestGolden(t *testing.T) {
	file := reference.ReadRecorded(t, goldenFile)
	for name := range file.Metadata {
		if !file.Has(name + "/y") {
			continue // a version
		}
		t.Run(name, func(t *testing.T) {
			g := newGolden(t, file, name)
			for _, products := range blas.Available() {
				for _, way := range g.ways() {
					t.Run(fmt.Sprintf("%s/%+v", products, way), func(t *testing.T) {
						g.run(t, products, way)
					})
				}
			}
			file.AllRead(t, name+"/")
		})
	}
}

// golden is a case: a layer, its shapes, its parameters and the recorded numbers.
type golden struct {
	file   *reference.Recorded
	name   string
	layer  layer.Layer
	memory layer.Memory
	rows   int
	in     []layer.Shape
	out    layer.Shape
	params []layer.Param
	at     []layer.Range
	p      []float32
}

func newGolden(t *testing.T, file *reference.Recorded, name string) *golden {
	g := &golden{file: file, name: name}
	var sizes goldenSizes
	file.Decode(t, name, &sizes)
	if g.layer = sizes.build(); g.layer == nil {
		t.Skipf("layer %s is not written yet", sizes.Layer)
	}
	for i := 0; file.Has(fmt.Sprintf("%s/x%d", name, i)); i++ {
		s := file.Shape(t, fmt.Sprintf("%s/x%d", name, i))
		g.rows, g.in = s[0], append(g.in, layer.Shape{H: s[1], W: s[2], C: s[3]})
	}
	var err error
	if g.out, err = g.layer.Out(g.in...); err != nil {
		t.Fatal(err)
	}
	want := file.Shape(t, name+"/y")
	if got := []int{g.rows, g.out.H, g.out.W, g.out.C}; !slices.Equal(got, want) {
		t.Fatalf("output of %v, recorded %v", got, want)
	}
	g.memory, g.params = g.layer.Memory(g.in...), g.layer.Params(g.in...)
	for _, param := range g.params {
		if got := file.Shape(t, name+"/param/"+param.Name); !slices.Equal(got, param.Shape) {
			t.Fatalf("%s of %v, recorded %v", param.Name, param.Shape, got)
		}
		lo := len(g.p)
		g.p = append(g.p, g.numbers(t, "param/"+param.Name)...)
		g.at = append(g.at, layer.Range{Lo: lo, Hi: len(g.p)})
	}
	return g
}

// numbers returns recorded ones as float32.
func (g *golden) numbers(t *testing.T, name string) []float32 {
	t.Helper()
	return reference.Float32s(g.file.Take(t, g.name+"/"+name))
}

// way is how rows go through a layer.
type way struct {
	wave, tile int  // rows
	add        bool // gradients by inputs are added to what is there
	inPlace    bool // the output and the gradients lie where they may
	frozen     bool // nobody asks for gradients by inputs
}

func (g *golden) ways() []way {
	list := []way{{wave: g.rows, tile: g.rows}, {wave: g.rows, tile: g.rows, frozen: true}}
	if g.file.Has(g.name + "/dx0") {
		list = append(list, way{wave: g.rows, tile: g.rows, add: true},
			way{wave: g.rows, tile: g.rows, inPlace: true})
	}
	if g.rows > 1 {
		list = append(list, way{wave: 2, tile: 1}, way{wave: g.rows, tile: 2})
	}
	return list
}

// run takes all rows forward and back, and compares everything.
func (g *golden) run(t *testing.T, products string, w way) {
	b, err := blas.Open(products)
	if err != nil {
		t.Fatal(err)
	}
	p := newGoldenPass(t, g, b, w)
	for first := 0; first < g.rows; first += w.wave {
		p.wave(first, min(w.wave, g.rows-first))
	}
	valueTolerance.Compare(t, "y", p.y, g.file.Take(t, g.name+"/y"), nil)
	for i := range g.in {
		if name := fmt.Sprintf("dx%d", i); p.dx[i] != nil {
			gradientTolerance.Compare(t, name, p.dx[i], g.file.Take(t, g.name+"/"+name), nil)
		}
	}
	for i, param := range g.params {
		gradientTolerance.Compare(t, "gradient by "+param.Name, g.at[i].Of(p.grad),
			g.file.Take(t, g.name+"/grad/"+param.Name), nil)
	}
}
