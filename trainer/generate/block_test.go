package generate

import (
	"fmt"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// eachBLAS runs a test under every backend of this build.
func eachBLAS(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	before := blas.Info().Backend
	for _, name := range blas.Available() {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() {
				if err := blas.Use(before); err != nil {
					t.Error(err)
				}
			})
			if err := blas.Use(name); err != nil {
				t.Fatal(err)
			}
			test(t)
		})
	}
}

// wide is a model whose sums are long enough for OpenBLAS to order them by the number of rows.
func wide() Model {
	m := random()
	m.Decoder = model.NewMLP(nil, testLatent, 150, 300, testDim)
	m.DecoderP = reference.Normals(m.Decoder.Layout().Size(), 20, 0.1)
	return m
}

// draw draws n images of the spec.
func draw(t *testing.T, g *Generator, n int, spec Spec) []float32 {
	t.Helper()
	x := make([]float32, n*testDim)
	if err := g.Sample(t.Context(), x, n, spec); err != nil {
		t.Fatal(err)
	}
	return x
}

// Images that are drawn block by block are those of one call, whatever the number of workers.
func TestBlocks(t *testing.T) { eachBLAS(t, testBlocks) }

func testBlocks(t *testing.T) {
	for _, m := range []Model{wide(), classy()} {
		for workers := 1; workers <= 3; workers++ {
			p := pool.New(workers)
			defer p.Close()
			g := New(nil, m, workers, p)
			n := 2*g.Block() + 9
			spec := Spec{Solver: "ancestral", Steps: 3, Seed: 7}
			all := draw(t, g, n, spec)
			var got []float32
			for spec.First = 0; spec.First < n; spec.First += g.Block() {
				got = append(got, draw(t, g, min(g.Block(), n-spec.First), spec)...)
			}
			if !slices.Equal(got, all) {
				t.Errorf("%d workers: other images than those of one call", workers)
			}
		}
	}
}

// Conditions from any image on are those of all.
func TestConditionFirst(t *testing.T) {
	g := classyGenerator(t)
	all := g.Condition(100, Spec{Seed: 3})
	for first := range 100 {
		got := g.Condition(100-first, Spec{Seed: 3, First: first})
		if !slices.Equal(got, all[3*first:]) {
			t.Fatalf("from image %d on: other conditions", first)
		}
	}
}

// With seeds of their own, images are the first ones of these seeds, to the bit, whatever their
// neighbours are.
func TestSeeds(t *testing.T) { eachBLAS(t, testSeeds) }

func testSeeds(t *testing.T) {
	var seeds []uint64
	for i := range uint64(tileRows + 9) {
		seeds = append(seeds, i*i%50+1<<40) // some are there twice
	}
	p := pool.New(2)
	defer p.Close()
	for _, m := range []Model{wide(), classy()} {
		g := New(nil, m, p.Workers(), p)
		for _, solver := range diffusion.Solvers {
			spec := Spec{Solver: solver, Steps: 3, Seed: 99, Seeds: seeds, Guidance: 0.5}
			got := draw(t, g, len(seeds), spec)
			for i, seed := range seeds {
				alone := Spec{Solver: solver, Steps: 3, Seed: seed, Guidance: 0.5}
				if want := draw(t, g, 1, alone); !slices.Equal(got[i*testDim:(i+1)*testDim], want) {
					t.Fatalf("%s: image %d is not the first one of seed %d", solver, i, seed)
				}
			}
			if slices.Equal(got[:testDim], got[testDim:2*testDim]) {
				t.Errorf("%s: two seeds have the same image", solver)
			}
		}
	}
}

func TestSpecPanics(t *testing.T) {
	g := classyGenerator(t)
	two := []uint64{1, 2}
	for _, spec := range []Spec{{First: -1}, {Seeds: two[:1]}, {Seeds: two, First: 2}} {
		t.Run(fmt.Sprint(spec), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			spec.Solver = "ddim"
			_ = g.Sample(t.Context(), make([]float32, 2*testDim), 2, spec)
		})
	}
}
