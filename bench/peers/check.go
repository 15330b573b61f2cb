package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/kernel"
)

// checked is the number of elements of the compared move.
const checked = 64 * width

// checkTolerance is for positions of size 1. The C prototype may order its operations differently,
// which changes the last bit of float32 (6e-8 to 2.4e-7 here).
const checkTolerance = 1e-6

// check compares the prototype's move with kernel.Overdamped, on inputs that both sides generate.
func (s *side) check() error {
	answer, err := s.ask(fmt.Sprintf("check %d", checked))
	if err != nil {
		return err
	}
	m := checkMove()
	clipped := kernel.Overdamped(m)
	return compare(answer, clipped, m.Z)
}

// checkMove generates the inputs of langevin.c's check. The block numbers of the noise exceed 32
// bits, and some rows are clipped.
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

// spread is number i of a fixed sequence in [-2, 2).
func spread(i uint32) float32 { return float32(i*2654435761>>8)*0x1p-22 - 2 }

// compare reads the number of clipped rows and the bits of z from the answer, and compares them.
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
		got := math.Float32frombits(uint32(bits))
		if !(math.Abs(float64(got-z[i])) <= checkTolerance) {
			return fmt.Errorf("check: z[%d] = %v, the kernel has %v", i, got, z[i])
		}
	}
	return nil
}
