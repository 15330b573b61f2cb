package particle

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

// A cloud and its batch allocate everything from the arena except what is in a file. A counting
// arena counts the same, and no file is created.
func TestArena(t *testing.T) {
	const m, n, d, rows = 11, 3, 5, 17
	build := func(a *memory.Arena, dir string, momentum, exact bool) *Batch {
		c := NewCloud
		if dir != "" {
			c = func(a *memory.Arena, first, m, n, d int, momentum bool, seed uint64) *Cloud {
				c, err := NewFileCloud(t.Context(), a, dir, first, m, n, d, momentum, seed)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				return c
			}
		}
		b := c(a, 0, m, n, d, momentum, 1).NewBatch(a, rows)
		if exact {
			b.UseExact(0.2)
		}
		return b
	}
	for _, dir := range []string{"", t.TempDir()} {
		for _, dynamics := range []string{"overdamped", "underdamped", "exact"} {
			momentum, exact := dynamics != "overdamped", dynamics == "exact"
			made, counted := &memory.Arena{}, memory.Counting()
			b := build(made, dir, momentum, exact)
			nowhere := dir
			if dir != "" {
				nowhere += "/nowhere" // a directory that does not exist
			}
			build(counted, nowhere, momentum, exact)
			want := reference.ArrayBytes(b)
			if dir != "" {
				want -= FileBytes(m, n, d, momentum)
			}
			for _, a := range []*memory.Arena{made, counted} {
				if got := a.Parts()[memory.Particles].Bytes; got != want || a.Total() != want {
					t.Errorf("%s in %q: %d bytes are held, counted %v", dynamics, dir,
						want, a.Parts())
				}
			}
		}
	}
}
