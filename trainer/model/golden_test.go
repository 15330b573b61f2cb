package model_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// The convolutional networks are compared with values and gradients that testdata/golden.py
// recorded from PyTorch in float64.
const goldenFile = "testdata/golden.safetensors"

// Some dozen layers, each of which rounds as those of package layer's golden test do, make the
// error larger than there: the tolerances are three times the largest deviations seen with native,
// OpenBLAS and gonum (in brackets).
var (
	goldenValues    = reference.Tolerance{RMS: 1.5e-6, Largest: 6e-6} // (4.2e-7, 1.9e-6)
	goldenGradients = reference.Tolerance{RMS: 1e-5, Largest: 4e-5}   // (3.6e-6, 1.1e-5)
)

// goldenSizes are those of a case: which network it is of.
type goldenSizes struct {
	Network                            string
	Channels                           []int
	Blocks, Heads, Embedding, Features int
	Picture, Latent                    int // channels
}

// build returns the network between rows of the given shapes; condition is its width, or 0.
func (s goldenSizes) build(products *blas.Backend, in, out layer.Shape, condition int) (
	*model.Net, error,
) {
	stages := model.Stages{Channels: s.Channels, Blocks: s.Blocks}
	switch s.Network {
	case "decoder":
		return model.NewConvDecoder(products, in, out, stages)
	case "encoder":
		z := layer.Shape{H: in.H, W: in.W >> stages.Halvings(), C: s.Latent}
		if in.H > 1 { // signals keep their height
			z.H >>= stages.Halvings()
		}
		return model.NewConvEncoder(products, in, z, stages)
	case "unet":
		return model.NewUNet(products, in, model.UNet{
			Channels: s.Channels, Blocks: s.Blocks, Heads: s.Heads, Embedding: s.Embedding,
			Features: s.Features, Condition: condition,
		})
	}
	return nil, fmt.Errorf("unknown network %q", s.Network)
}

func TestGolden(t *testing.T) {
	file := reference.ReadRecorded(t, goldenFile)
	for name := range file.Metadata {
		if !file.Has(name + "/y") {
			continue // a version
		}
		t.Run(name, func(t *testing.T) {
			for _, products := range blas.Available() {
				for _, size := range []model.Size{{}, {Tile: 1}, {Wave: 2, Tile: 1}} {
					what := fmt.Sprintf("%s, wave %d, tile %d", products, size.Wave, size.Tile)
					t.Run(what, func(t *testing.T) {
						g := newGolden(t, file, name, products)
						size.Rows = g.rows
						g.run(size)
					})
				}
			}
			file.AllRead(t, name+"/")
		})
	}
}

// golden is a case: its network, and its arrays with all rows.
type golden struct {
	*testing.T
	file    *reference.Recorded
	name    string
	rows    int
	net     *model.Net
	p, grad []float32
	x       [][]float32
	y, dx   []float32
}

func newGolden(t *testing.T, file *reference.Recorded, name, products string) *golden {
	g := &golden{T: t, file: file, name: name}
	var sizes goldenSizes
	file.Decode(t, name, &sizes)
	b, err := blas.Open(products)
	if err != nil {
		t.Fatal(err)
	}
	condition := 0
	if file.Has(name + "/x2") {
		condition = file.Shape(t, name+"/x2")[3]
	}
	g.net, err = sizes.build(b, g.shape("x0"), g.shape("y"), condition)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.net.OutShape(); got != g.shape("y") {
		t.Fatalf("output of %v, recorded %v", got, g.shape("y"))
	}
	for i := 0; file.Has(fmt.Sprintf("%s/x%d", name, i)); i++ {
		g.x = append(g.x, g.numbers(fmt.Sprintf("x%d", i)))
	}
	g.rows = file.Shape(t, name+"/y")[0]
	layout := g.net.Layout()
	g.p, g.grad = make([]float32, layout.Size()), make([]float32, layout.Size())
	for _, param := range layout.Params() {
		if got := file.Shape(t, name+"/param/"+param.Name); !slices.Equal(got, param.Shape) {
			t.Fatalf("%s of %v, recorded %v", param.Name, param.Shape, got)
		}
		copy(g.p[param.Offset:], g.numbers("param/"+param.Name))
	}
	g.y, g.dx = make([]float32, g.rows*g.net.Out()), make([]float32, g.rows*g.net.In())
	return g
}

// shape is that of a row of an array.
func (g *golden) shape(name string) layer.Shape {
	s := g.file.Shape(g.T, g.name+"/"+name)
	return layer.Shape{H: s[1], W: s[2], C: s[3]}
}

func (g *golden) want(name string) []float64 { return g.file.Take(g.T, g.name+"/"+name) }

func (g *golden) numbers(name string) []float32 { return reference.Float32s(g.want(name)) }

// run takes all rows forward and back, and compares everything.
func (g *golden) run(size model.Size) {
	tape := g.net.NewTape(nil, g.p, size, model.Train)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	wave := size.Wave
	if wave == 0 {
		wave = g.rows
	}
	for lo := 0; lo < g.rows; lo += wave {
		hi := min(lo+wave, g.rows)
		g.wave(tape, lo, hi, size.Tile)
	}
	goldenValues.Compare(g.T, "y", g.y, g.want("y"), nil)
	if g.file.Has(g.name + "/dx0") {
		goldenGradients.Compare(g.T, "dx0", g.dx, g.want("dx0"), nil)
	}
	for _, p := range g.net.Layout().Params() {
		goldenGradients.Compare(g.T, "gradient by "+p.Name, g.grad[p.Offset:p.Offset+p.Len],
			g.want("grad/"+p.Name), nil)
	}
}

// wave takes rows lo to hi.
func (g *golden) wave(tape *model.Tape, lo, hi, tile int) {
	if tile == 0 {
		tile = hi - lo
	}
	dy, in, out := g.numbers("dy"), g.net.In(), g.net.Out()
	tape.Begin(lo)
	for a := lo; a < hi; a += tile {
		b := min(a+tile, hi)
		pass := tape.Take(a, b)
		for i, x := range g.x {
			copy(pass.In(i), x[a*g.net.Width(i):b*g.net.Width(i)])
		}
		pass.Forward()
		copy(g.y[a*out:b*out], pass.Out())
		copy(pass.DOut(), dy[a*out:b*out])
		if g.file.Has(g.name + "/dx0") {
			pass.Backward(g.dx[a*in : b*in])
		} else {
			pass.Backward(nil)
		}
		pass.Release()
	}
	tape.Reduce(layer.Wave{
		Rows: hi - lo, First: lo == 0, Last: hi == g.rows, Scale: 1, Grad: g.grad,
	})
	for i := range tape.GradTasks() {
		tape.Grad(i)
	}
}
