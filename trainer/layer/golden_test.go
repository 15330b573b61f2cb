package layer_test

import (
	"fmt"
	"slices"
	"strings"
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

// goldenSizes say which layer a case is of.
type goldenSizes struct {
	Layer                                   string
	Channels, Size, Groups, Heads, Features int
	SiLU                                    bool
	Slowest, Fastest                        float64
}

func (s goldenSizes) build() layer.Layer {
	return map[string]layer.Layer{
		"Linear":    layer.Linear{Channels: s.Channels},
		"Conv":      layer.Conv{Channels: s.Channels, Size: s.Size},
		"SiLU":      layer.SiLU{},
		"GroupNorm": layer.GroupNorm{Groups: s.Groups, SiLU: s.SiLU},
		"LayerNorm": layer.GroupNorm{Groups: 1}, // of pixels that are rows of their own
		"RMSNorm":   layer.RMSNorm{},
		"Gate":      layer.Gate{},
		"Sum":       layer.Sum{},
		"SumSiLU":   layer.SumSiLU{},
		"Concat":    layer.Concat{},
		"Merge":     layer.Merge{},
		"Split":     layer.Split{},
		"Attention": layer.Attention{Heads: s.Heads},
		"Moments":   layer.Moments{},
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
			for _, products := range blas.Available() {
				g := &golden{T: t, Recorded: file, name: name + "/"}
				g.read()
				g.compare(way{products: products, wave: g.rows, tile: g.rows})
				g.compare(way{products: products, wave: 2, tile: 1, add: true})
			}
			file.AllRead(t, name+"/")
		})
	}
}

// golden is a case.
type golden struct {
	*testing.T
	*reference.Recorded
	name string
	subject
	from numbers
	rows int
}

// read reads the layer, its shapes and what goes into it.
func (g *golden) read() {
	var sizes goldenSizes
	g.Decode(g.T, strings.TrimSuffix(g.name, "/"), &sizes)
	if g.layer = sizes.build(); g.layer == nil {
		g.Fatalf("unknown layer %q", sizes.Layer)
	}
	for k := 0; g.Has(fmt.Sprint(g.name, "x", k)); k++ {
		s := g.Shape(g.T, fmt.Sprint(g.name, "x", k))
		if sizes.Layer == "LayerNorm" {
			s = []int{s[0] * s[1] * s[2], 1, 1, s[3]}
		}
		g.rows, g.in = s[0], append(g.in, layer.Shape{H: s[1], W: s[2], C: s[3]})
		g.from.x = append(g.from.x, g.take(fmt.Sprint("x", k)))
	}
	g.given = !g.Has(g.name + "dx0")
	for _, p := range g.layer.Params(g.in...) {
		if got := g.Shape(g.T, g.name+"param/"+p.Name); !slices.Equal(got, p.Shape) {
			g.Fatalf("%s of %v, recorded %v", p.Name, p.Shape, got)
		}
		g.from.p = append(g.from.p, g.take("param/"+p.Name)...)
	}
	g.from.dy = g.take("dy")
}

// take returns recorded numbers as float32.
func (g *golden) take(name string) []float32 {
	g.Helper()
	return reference.Float32s(g.Take(g.T, g.name+name))
}

// compare takes the rows forward and back.
func (g *golden) compare(w way) {
	got := g.run(g.T, g.from, w)
	valueTolerance.Compare(g.T, w.products+" y", got.y, g.Take(g.T, g.name+"y"), nil)
	for k, dx := range got.dx {
		if name := fmt.Sprint("dx", k); !g.given {
			gradientTolerance.Compare(g.T, w.products+" "+name, dx, g.Take(g.T, g.name+name), nil)
		}
	}
	at := 0
	for _, p := range g.layer.Params(g.in...) {
		grad := got.grad[at : at+product(p.Shape)]
		want := g.Take(g.T, g.name+"grad/"+p.Name)
		gradientTolerance.Compare(g.T, w.products+" gradient by "+p.Name, grad, want, nil)
		at += len(grad)
	}
}
