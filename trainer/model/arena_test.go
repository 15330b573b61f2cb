package model_test

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// withEachBackend runs a test on each of the backends of this build.
func withEachBackend(t *testing.T, test func(t *testing.T)) {
	use := func(name string) {
		if err := blas.Use(name); err != nil {
			t.Fatal(err)
		}
	}
	defer use(blas.Info().Backend)
	for _, name := range blas.Available() {
		use(name)
		t.Run(name, test)
	}
}

// A tape takes all of its arrays from the arena, packed weights included, and a counting arena
// counts the same bytes. The parameters and the network's description are not the tape's.
func TestArena(t *testing.T) {
	withEachBackend(t, func(t *testing.T) {
		for _, rows := range []int{1, 7, 130} {
			for _, use := range []model.Use{model.Evaluate, model.Train} {
				for _, widths := range [][]int{{3, 5}, {4, 9, 6, 5}, {2, 300, 33}, {64, 40, 31}} {
					net := model.NewMLP(nil, widths...)
					checkArena(t, fmt.Sprint(widths), net, net.Layout(), rows, use, net.NewTape)
				}
				for _, widths := range [][]int{nil, {9, 300}} {
					net := model.NewEncoder(nil, 6, 4, widths...)
					checkArena(t, fmt.Sprint("encoder ", widths), net, net.Layout(), rows, use,
						net.NewTape)
				}
				for _, s := range [][4]int{{3, 6, 1, 2}, {32, 70, 0, 8}, {5, 33, 3, 4}} {
					net := model.NewResidualScore(nil, s[0], s[1], s[2], s[3])
					checkArena(t, fmt.Sprint("score ", s), net, net.Layout(), rows, use,
						net.NewScoreTape)
				}
			}
		}
	})
}

func checkArena[T model.Tape](
	t *testing.T, name string, net any, l *model.Layout, rows int, use model.Use,
	build func(a *memory.Arena, p []float32, rows int, use model.Use) T,
) {
	t.Helper()
	p := make([]float32, l.Size())
	made, counted := &memory.Arena{}, memory.Counting()
	tape := build(made, p, rows, use)
	build(counted, nil, rows, use)
	pack(tape) // must not need more
	want := reference.ArrayBytes(tape) - reference.ArrayBytes([]any{net, p})
	for _, a := range []*memory.Arena{made, counted} {
		parts := a.Parts()
		sum := parts[memory.PackedWeights].Bytes + parts[memory.Activations].Bytes
		if sum != want || a.Total() != want {
			t.Errorf("%s, %d rows, train %v: %d bytes are held, counted %v", name, rows, use,
				want, parts)
		}
	}
	// Of ten runs, so that an allocation of the runtime's own does not count.
	if n := testing.AllocsPerRun(10, func() { pack(tape) }); n != 0 {
		t.Errorf("%s: packing allocates %v times", name, n)
	}
}
