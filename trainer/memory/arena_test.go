package memory_test

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/memory"
)

// build requests an array of each type and returns their lengths.
func build(a *memory.Arena) []int {
	return []int{
		len(a.Floats(memory.Particles, 3, 5)),
		len(a.Float64s(memory.Gradients, 7)),
		len(a.Ints(memory.Activations, 2, 2, 2)),
		len(a.Uint32s(memory.Particles, 4)),
		len(a.Uint64s(memory.Activations, 6)),
		len(a.Floats(memory.Average, 0, 9)),
	}
}

// A counting arena counts the same bytes as one that makes arrays, but makes and fills none.
func TestArena(t *testing.T) {
	want := map[string]int64{"particles": 60 + 16, "gradients": 56, "activations": 64 + 48}
	for _, counting := range []bool{false, true} {
		a := &memory.Arena{}
		if counting {
			a = memory.Counting()
		}
		lengths := build(a)
		filled := false
		a.Fill(func() { filled = true })
		if filled == counting || a.Counts() != counting {
			t.Errorf("counting %v: filled %v", counting, filled)
		}
		for i, n := range []int{15, 7, 8, 4, 6, 0} {
			if counting {
				n = 0
			}
			if lengths[i] != n {
				t.Errorf("counting %v: array %d has %d elements", counting, i, lengths[i])
			}
		}
		parts := a.Parts()
		for _, part := range parts {
			if part.Bytes != want[part.Name] {
				t.Errorf("counting %v: %v, expected %d bytes", counting, part, want[part.Name])
			}
		}
		if parts[0].Name != "parameters" || parts[5].Name != "particles" || a.Total() != 76+56+112 {
			t.Errorf("counting %v: %v", counting, parts)
		}
	}
}

// A nil arena makes arrays. The arrays of a counting arena are not nil.
func TestNilArena(t *testing.T) {
	var none *memory.Arena
	if n := build(none)[0]; n != 15 || none.Counts() {
		t.Errorf("%d elements from no arena", n)
	}
	if memory.Counting().Floats(memory.Average, 3) == nil {
		t.Error("a counted array is nil")
	}
}

// Counting allocates no arrays, and sizes beyond any machine do not overflow.
func TestCountingIsCheap(t *testing.T) {
	a := memory.Counting()
	for range 1000 {
		a.Floats(memory.Activations, math.MaxInt, math.MaxInt)
	}
	a.Ints(memory.Particles, 1<<40)
	if got := a.Parts(); got[6].Bytes != 1<<56 || got[5].Bytes != 1<<43 ||
		got.Total() != 1<<56+1<<43 {
		t.Errorf("%v", got)
	}
}
