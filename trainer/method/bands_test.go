package method

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
)

// TestBands: tasks of the same rows are one band with a span of whole rows, and the last of them
// to be done is the last in every step.
func TestBands(t *testing.T) {
	const width, split = 9, 4
	half := func(at, rows, cols int) memory.Block {
		return memory.Block{At: at, Rows: rows, Cols: cols, Stride: width}
	}
	tasks := [][]memory.Block{ // a matrix of 5 rows, a bias, and a vector
		{half(20+3*width, 2, split)},
		{half(20, 3, split), memory.Span(20+5*width, 20+5*width+split)},
		{memory.Span(0, 11)},
		{half(20+3*width+split, 2, width-split)},
		{half(20+split, 3, width-split), memory.Span(20+5*width+split, 20+6*width)},
	}
	of := newBands(len(tasks), func(task int) []memory.Block { return tasks[task] })
	for _, want := range []struct {
		tasks  []int
		blocks []memory.Block
	}{
		{[]int{0, 3}, []memory.Block{memory.Span(20+3*width, 20+5*width)}},
		{
			[]int{1, 4},
			[]memory.Block{
				memory.Span(20, 20+3*width), memory.Span(20+5*width, 20+6*width),
			},
		},
		{[]int{2}, []memory.Block{memory.Span(0, 11)}},
	} {
		band := of[want.tasks[0]]
		if !slices.Equal(band.tasks, want.tasks) || !slices.Equal(band.blocks, want.blocks) {
			t.Errorf("tasks %v with %v, want %v with %v",
				band.tasks, band.blocks, want.tasks, want.blocks)
		}
		for step := range 2 {
			for i, task := range want.tasks {
				if of[task] != band {
					t.Fatalf("task %d is not in the band %v", task, want.tasks)
				}
				if got, last := of[task].done(), i == len(want.tasks)-1; got != last {
					t.Errorf("step %d: task %d ends the band: %v", step, task, got)
				}
			}
		}
	}
}

// TestBandsOfNetworks: a network's bands have every one of its parameters once, in spans alone,
// also where its tasks are parts of rows.
func TestBandsOfNetworks(t *testing.T) {
	o := small()
	o.DecoderWidths, o.ScoreWidth = []int{70, 600}, 300
	for name, n := range parts(newFlow(t, config.IPLD, o, 2)) {
		counts := make([]int, len(n.p))
		for task, b := range n.bands {
			if task != b.tasks[0] {
				continue
			}
			for _, block := range b.blocks {
				if block.Rows != 1 {
					t.Errorf("%s: %v is not a span", name, block)
				}
				for i := block.At; i < block.End(); i++ {
					counts[i]++
				}
			}
		}
		if i := slices.IndexFunc(counts, func(c int) bool { return c != 1 }); i >= 0 {
			t.Errorf("%s: parameter %d is in %d bands", name, i, counts[i])
		}
	}
}
