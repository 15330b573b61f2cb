package model_test

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
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

// A tape takes all of its arrays from the arena, those of its passes and packed weights included,
// and a counting arena counts the same bytes. The parameters and the network's description are not
// the tape's.
func TestArena(t *testing.T) {
	withEachBackend(t, func(t *testing.T) {
		nets := map[string]*model.Net{}
		for _, widths := range [][]int{{3, 5}, {4, 9, 6, 5}, {2, 300, 33}, {64, 40, 31}} {
			nets[fmt.Sprint(widths)] = model.NewMLP(nil, widths...)
		}
		for _, widths := range [][]int{nil, {9, 300}} {
			nets[fmt.Sprint("encoder ", widths)] = model.NewEncoder(nil, 6, 4, widths...)
		}
		for _, s := range [][4]int{{3, 6, 1, 2}, {32, 70, 1, 8}, {5, 33, 3, 4}} {
			nets[fmt.Sprint("score ", s)] = model.NewResidualScore(nil, s[0], s[1], s[2], s[3])
		}
		nets["conditional MLP"] = model.NewConditionalMLP(nil, 3, 4, 9, 5)
		nets["transformer"] = model.Must(model.NewTransformer(nil, layer.Shape{H: 3, W: 2, C: 2},
			model.Transformer{Width: 6, Blocks: 1, Heads: 2, Features: 4, Condition: 3}))
		for name, net := range nets {
			for _, use := range []model.Use{model.Evaluate, model.Differentiate, model.Train} {
				for _, size := range []model.Size{
					{Rows: 1}, {Rows: 7, Passes: 2}, {Rows: 130, Tile: 9},
					{Rows: 130, Wave: 40, Tile: 20, Passes: 3},
				} {
					checkArena(t, name, net, size, use)
				}
			}
		}
	})
}

func checkArena(t *testing.T, name string, net *model.Net, size model.Size, use model.Use) {
	t.Helper()
	p := make([]float32, net.Layout().Size())
	made, counted := &memory.Arena{}, memory.Counting()
	tape := net.NewTape(made, p, size, use)
	net.NewTape(counted, nil, size, use)
	pack(tape) // must not need more
	var passes []*model.Pass
	for range max(1, size.Passes) {
		passes = append(passes, tape.Take(0, 1))
	}
	want := reference.ArrayBytes([]any{tape, passes}) - reference.ArrayBytes([]any{net, p})
	for _, a := range []*memory.Arena{made, counted} {
		parts := a.Parts()
		sum := parts[memory.PackedWeights].Bytes + parts[memory.Activations].Bytes
		if sum != want || a.Total() != want {
			t.Errorf("%s, %+v, use %v: %d bytes are held, counted %v", name, size, use, want, parts)
		}
	}
	// Of ten runs, so that an allocation of the runtime's own does not count.
	if n := testing.AllocsPerRun(10, func() { pack(tape) }); n != 0 {
		t.Errorf("%s: packing allocates %v times", name, n)
	}
}
