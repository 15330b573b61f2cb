package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/kernel"
)

// checked is how many numbers the prototype's move is compared at.
const checked = 64 * width

// checkTolerance is relative to 1, the size of a position: the prototype rounds as the kernel does,
// and a different order of operations would show in the last bit of float32 (6e-8 to 2.4e-7 here).
const checkTolerance = 1e-6

// check compares the prototype's move with kernel.Overdamped at the inputs that both know.
func (s *side) check() error {
	answer, err := s.ask(fmt.Sprintf("check %d", checked))
	if err != nil {
		return err
	}
	m := checkMove()
	clipped := kernel.Overdamped(m)
	return compare(answer, clipped, m.Z)
}

// checkMove makes the inputs of langevin.c's check. Rows begin at groups whose block numbers go beyond
// 32 bits, and some are clipped.
func checkMove() *kernel.Move {
	rows := checked / width
	m := &kernel.Move{
		Z: make([]float32, checked), G: make([]float32, checked), P: make([]float32, checked),
		H: make([]float32, rows), IDs: make([]uint64, rows), D: width,
		Anchor: 0.25, Clip: 0.08, Key: kernel.Key{Seed: 0x123456789abcdef0, Step: 7, Stream: 3},
	}
	for i := range uint32(checked) {
		m.Z[i], m.G[i], m.P[i] = spread(3*i), spread(3*i+1), spread(3*i+2)
	}
	for r := range rows {
		m.H[r] = 0.04 * (1 + float32(r)/float32(rows))
		m.IDs[r] = 1<<29 - 50 + 7*uint64(r)
	}
	return m
}

// spread is the i-th of a fixed sequence of numbers in [-2, 2).
func spread(i uint32) float32 { return float32(i*2654435761>>8)*0x1p-22 - 2 }

// compare reads the number of rows clipped and the bits of z.
func compare(answer string, clipped int, z []float32) error {
	words := strings.Fields(answer)
	if len(words) != len(z)+1 {
		return fmt.Errorf("check: %d words, want %d", len(words), len(z)+1)
	}
	if words[0] != strconv.Itoa(clipped) {
		return fmt.Errorf("check: %s rows clipped, the kernel clips %d", words[0], clipped)
	}
	for i, w := range words[1:] {
		bits, err := strconv.ParseUint(w, 16, 32)
		if err != nil {
			return fmt.Errorf("check: %w", err)
		}
		if got := math.Float32frombits(uint32(bits)); !(math.Abs(float64(got-z[i])) <= checkTolerance) {
			return fmt.Errorf("check: z[%d] = %v, the kernel has %v", i, got, z[i])
		}
	}
	return nil
}
