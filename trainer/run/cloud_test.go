package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
)

// savedCloud saves a checkpoint with two particles of three numbers for each of 7 rows, which count
// from 0, behind another tensor.
func savedCloud(t *testing.T, dir string) (checkpointDir string) {
	t.Helper()
	z := make([]float32, 7*2*3)
	for i := range z {
		z[i] = float32(i)
	}
	w := checkpoint.Writer{Files: file.OS, RunDir: dir}
	p, err := w.Begin(checkpoint.Meta{Step: 1}, []checkpoint.Tensor{
		{Name: "a", Shape: []int{5}, F32: make([]float32, 5)},
		{Name: CloudName, Shape: []int{7, 2, 3}, F32: z},
	})
	if err == nil {
		_, err = p.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	found, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Particles come in blocks, each with its rows, in order, and in the same memory; other rows and a
// damaged checkpoint are errors before the first.
func TestEachParticle(t *testing.T) {
	dir := t.TempDir()
	saved, r := savedCloud(t, dir), &Run{Dir: dir}
	origins := make([]data.Origin, 7)
	for i := range origins {
		origins[i].Row = 10 * i
	}
	train, held := table(origins, 0, 1, 2, 3, 4, 5, 6), table([]data.Origin{{Row: 5}}, 0)
	if err := on(dir).StoreRows(train, held); err != nil {
		t.Fatal(err)
	}
	var numbers []float32
	var sources, blocks []int
	err := r.EachParticle(t.Context(), saved, 3, 3, func(lo int, rows []Row, z []float32) error {
		blocks, numbers = append(blocks, lo), append(numbers, z...)
		for _, row := range rows {
			sources = append(sources, row.Source)
		}
		return nil
	})
	if err != nil || !slices.Equal(blocks, []int{0, 3, 6}) || len(numbers) != 42 ||
		!slices.Equal(sources, []int{0, 10, 20, 30, 40, 50, 60}) {
		t.Errorf("%v: blocks at %v of rows %v, %d numbers", err, blocks, sources, len(numbers))
	}
	for i, v := range numbers {
		if v != float32(i) {
			t.Fatalf("number %d is %v", i, v)
		}
	}

	none := func(int, []Row, []float32) error {
		t.Error("particles in spite of errors")
		return nil
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := r.EachParticle(ended, saved, 3, 3, none); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	expect := func(d int, text string) {
		t.Helper()
		err := r.EachParticle(t.Context(), saved, d, 3, none)
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, expected %q", err, text)
		}
	}
	expect(4, "particles of shape [7 2 3], expected rows x particles x 4")
	if err := on(dir).StoreRows(table(origins[:6], 0, 1, 2, 3, 4, 5), held); err != nil {
		t.Fatal(err)
	}
	expect(3, "lists 6 training images")
	path := filepath.Join(saved, "state.safetensors")
	state, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	state[len(state)-1] ^= 1
	if err := os.WriteFile(path, state, 0o666); err != nil {
		t.Fatal(err)
	}
	expect(3, "changed since it was saved")
}
