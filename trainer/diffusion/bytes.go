package diffusion

import "github.com/plume-ml/plume/trainer/memory"

// TapeBytes is the memory of NewTape(score, d, rows), the score network's own left out: the order
// of the levels and the addresses, seven numbers for each draw of a row, and three or five arrays
// of latents.
func (b Bound) TapeBytes(d, rows int) int64 {
	n, wide := rows*b.Draws, 3
	if b.Draws > 1 {
		wide = 5
	}
	return memory.Array[int](n) + memory.Array[uint64](n) + memory.Array[float32](n, 7+wide*d)
}
