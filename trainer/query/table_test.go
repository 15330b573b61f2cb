package query_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/run"
)

// A table of numbers, truth values, categories and words, and rows of it with holes: in the second
// column of the first, in the third and fourth of the second, and none in the third.
const (
	wholeTable = "id,length,open,kind\na,1.0,true,x\nb,2.00,false,y\nc,3,true,y\nd,4,false,x\n" +
		"e,2.5,true,x\nf,3.5,false,y\ng,1.5,true,x\nh,4.5,false,y\n"
	tableWithHoles = "kind,id,length,open\nx,one,,true\n,two,2.50,\ny,three,3.0,false\n"
)

// stored trains for an epoch on the data at a path and opens the run.
func stored(t *testing.T, path string) *query.Stored {
	t.Helper()
	cfg := method.Default()
	cfg.Data, cfg.Epochs, cfg.Batch, cfg.Latent, cfg.Holdout = path, 1, 8, 2, 0
	cfg.DecoderWidths, cfg.ScoreWidth, cfg.ScoreBlocks, cfg.EvalSamples = []int{8}, 8, 1, 0
	dir := t.TempDir()
	trained, err := trainer.New(t.Context(), cfg, dir)
	if err == nil {
		err = errors.Join(trained.Run(t.Context()), trained.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := query.Open(r, false, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func few() query.Options {
	return query.Options{Particles: 3, Settling: &infer.Settling{
		Window: 5, Descend: 10, Cool: 5, Keep: 5, KeepMost: 5,
	}}
}

// Known cells stay, as values and as they are written, and the missing ones are what the schema
// makes of the imputations of the encoded rows.
func TestComplete(t *testing.T) {
	s := stored(t, write(t, "whole.csv", wholeTable))
	holes := write(t, "holes.csv", tableWithHoles)
	rows, err := s.Read(t.Context(), query.Read{Path: holes})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[[2]int]bool{{0, 1}: true, {1, 2}: true, {1, 3}: true}
	for _, written := range []bool{false, true} {
		o := query.CompleteOptions{Options: few(), Written: written, Path: holes}
		seen := 0
		_, err := s.Complete(t.Context(), rows, o, func(c query.Completed) error {
			seen += c.Rows
			want := s.Schema().Decoded(c.Imputations.Mean, nil)
			checkCells(t, written, c.Mean(), want, missing, 1)
			want = s.Schema().Decoded(c.Imputations.Completions, nil)
			checkCells(t, written, c.Draws(), want, missing, 3)
			for column, values := range c.Uncertainty() {
				for i, v := range values {
					if known := !missing[[2]int{i, column}]; math.IsNaN(v) != known {
						t.Errorf("row %d, column %d: uncertainty %v", i, column, v)
					}
				}
			}
			return nil
		})
		if err != nil || seen != 3 {
			t.Errorf("%d rows, %v", seen, err)
		}
	}
}

// checkCells compares a completed table, in which each row is there n times, with what was known
// and with what should be there where cells were missing.
func checkCells(
	t *testing.T, written bool, got, want *columns.Table, missing map[[2]int]bool, n int,
) {
	t.Helper()
	known := [][]string{
		{"one", "", "true", "x"}, {"two", "2.50", "", ""}, {"three", "3.0", "false", "y"},
	}
	if got.M != 3*n {
		t.Fatalf("%d rows", got.M)
	}
	for i := range got.M {
		for c := range 4 {
			text := known[i/n][c]
			switch {
			case missing[[2]int{i / n, c}]:
				text = want.Text(i, c)
			case c == 1 && !written:
				text = want.Schema.Format(c, map[string]float64{"2.50": 2.5, "3.0": 3}[text])
			}
			if got.Text(i, c) != text {
				t.Errorf("row %d, column %d: %q, want %q", i, c, got.Text(i, c), text)
			}
		}
	}
}

// What cannot be completed is refused, and a context that has ended ends it.
func TestCompleteRefuses(t *testing.T) {
	never := func(query.Completed) error { t.Error("called"); return nil }
	whole := write(t, "whole.csv", wholeTable)
	s := stored(t, whole)
	rows, err := s.Read(t.Context(), query.Read{Path: whole})
	if err != nil {
		t.Fatal(err)
	}
	o := query.CompleteOptions{Options: few()}
	if _, err := s.Complete(t.Context(), rows, o, never); !errors.Is(err, query.ErrNothingMissing) {
		t.Error(err)
	}
	array := data.Table{D: 1, X: []float32{1}}
	if _, err := s.Complete(t.Context(), array, o, never); err == nil {
		t.Error("rows of an array are completed as a table")
	}
	holes := write(t, "holes.csv", tableWithHoles)
	if rows, err = s.Read(t.Context(), query.Read{Path: holes}); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	o.Written, o.Path = true, holes
	if _, err := s.Complete(ended, rows, o, never); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	o.Path = filepath.Join(t.TempDir(), "none.csv")
	if _, err := s.Complete(t.Context(), rows, o, never); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
