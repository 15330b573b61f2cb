package diffusion

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

// A tape takes all of its arrays from the arena, and a counting arena counts the same bytes.
func TestArena(t *testing.T) {
	for _, draws := range []int{1, 3} {
		for _, rows := range []int{1, 12} {
			b := Bound{Process: testProcess, Draws: draws}
			made, counted := &memory.Arena{}, memory.Counting()
			score := standard(0).tape(rows * draws)
			want := reference.ArrayBytes(b.NewTape(made, score, rows)) -
				reference.ArrayBytes(score)
			b.NewTape(counted, score, rows)
			for _, a := range []*memory.Arena{made, counted} {
				if got := a.Parts()[memory.Activations].Bytes; got != want || a.Total() != want {
					t.Errorf("%d draws of %d rows: %d bytes are held, counted %v", draws, rows,
						want, a.Parts())
				}
			}
		}
	}
}
