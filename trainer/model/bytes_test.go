package model_test

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
)

// counted is what both kinds of network have.
type counted interface {
	Layout() *model.Layout
	TapeBytes(rows int) int64
	PackedBytes(backward bool) int64
}

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

// A tape's bytes are those of the arrays that it holds beside parameters and description: when it
// is new, packed for Forward, and packed for both ways.
func TestTapeBytes(t *testing.T) {
	withEachBackend(t, func(t *testing.T) {
		for _, rows := range []int{1, 7, 130} {
			for _, widths := range [][]int{{3, 5}, {4, 9, 6, 5}, {2, 300, 33}, {64, 40, 31}} {
				net := model.NewMLP(widths...)
				p := make([]float32, net.Layout().Size())
				checkBytes(t, fmt.Sprint(widths), net, net.NewTape(p, rows), p, rows)
			}
			for _, widths := range [][]int{nil, {9, 300}} {
				net := model.NewEncoder(6, 4, widths...)
				p := make([]float32, net.Layout().Size())
				checkBytes(t, fmt.Sprint("encoder ", widths), net, net.NewTape(p, rows), p, rows)
			}
			for _, s := range [][4]int{{3, 6, 1, 2}, {32, 70, 0, 8}, {5, 33, 3, 4}} {
				net := model.NewResidualScore(s[0], s[1], s[2], s[3])
				p := make([]float32, net.Layout().Size())
				checkBytes(t, fmt.Sprint("score ", s), net, net.NewScoreTape(p, rows), p, rows)
			}
		}
	})
}

func checkBytes(t *testing.T, name string, net counted, tape model.Tape, p []float32, rows int) {
	t.Helper()
	others := reference.ArrayBytes([]any{net, p})
	check := func(when string, want int64) {
		if got := reference.ArrayBytes(tape) - others; got != want {
			t.Errorf("%s, %d rows, %s: the arrays have %d bytes, the formula says %d", name, rows, when, got, want)
		}
	}
	check("new", net.TapeBytes(rows))
	for _, backward := range []bool{false, true} {
		for i := range tape.PackTasks(backward) {
			tape.Pack(i)
		}
		check(fmt.Sprintf("packed, backward %v", backward), net.TapeBytes(rows)+net.PackedBytes(backward))
	}
}
