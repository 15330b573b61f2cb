package method

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/plume-ml/plume/trainer/memory"
)

// band is gradient tasks that write parts of the same rows, with the blocks that they write
// together: whole rows, which lie one behind the other. The optimiser's step is as fast as memory
// delivers its arrays; that is twice as fast along such spans as along rows that break off, behind
// which a CPU still reads ahead.
type band struct {
	tasks  []int
	blocks []memory.Block
	left   atomic.Int32 // tasks whose gradient is not computed yet
}

// done says that the gradient of one of the band's tasks is computed, and reports whether those of
// all are. The next step starts again.
func (b *band) done() bool {
	if b.left.Add(-1) > 0 {
		return false
	}
	b.left.Store(int32(len(b.tasks)))
	return true
}

// written is a block that a task writes.
type written struct {
	memory.Block
	task int
}

// newBands returns the band of each of n tasks, whose blocks are those of writes.
func newBands(n int, writes func(task int) []memory.Block) []*band {
	var all []written
	of := make([]*band, n)
	for task := range n {
		of[task] = &band{tasks: []int{task}}
		for _, b := range writes(task) {
			all = append(all, written{b, task})
		}
	}
	slices.SortFunc(all, func(a, b written) int { return cmp.Compare(a.At, b.At) })
	end := 0
	for i, w := range all {
		if i > 0 && w.At < end && of[w.task] != of[all[i-1].task] {
			join(of, all[i-1].task, w.task)
		}
		end = max(end, w.End())
	}
	for _, w := range all {
		of[w.task].blocks = append(of[w.task].blocks, w.Block)
	}
	for task, b := range of {
		if task == b.tasks[0] {
			b.blocks = memory.Join(b.blocks)
			b.left.Store(int32(len(b.tasks)))
		}
	}
	return of
}

// join makes one band of those of two tasks.
func join(of []*band, a, b int) {
	into := of[a]
	for _, task := range of[b].tasks {
		into.tasks = append(into.tasks, task)
		of[task] = into
	}
	slices.Sort(into.tasks)
}
