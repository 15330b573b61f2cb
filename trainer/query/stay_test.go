package query_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/query"
)

// Answers about rows that stay in their file are those about rows in memory, and there are none if
// the file changes meanwhile.
func TestRowsStayInTheirFile(t *testing.T) {
	digits, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const rows, dim = 40, 64
	x := make([]float32, rows*dim)
	digits.Gather(x, data.Range(0, rows))
	path := filepath.Join(t.TempDir(), "digits.npy")
	if err := npy.WriteFile(path, x, rows, 8, 8); err != nil {
		t.Fatal(err)
	}
	s := stored(t, path)
	ask := func(how query.Read, also func()) (answers []float32, err error) {
		t.Helper()
		ds, err := s.Read(t.Context(), how)
		if err != nil {
			t.Fatal(err)
		}
		defer data.Close(ds)
		asked, err := s.Rows(ds)
		if err != nil {
			t.Fatal(err)
		}
		also()
		_, err = s.Reconstruct(t.Context(), asked, few(), func(r query.Reconstructions) error {
			answers = append(answers, r.Mean...)
			return nil
		})
		return answers, err
	}
	nothing := func() {}
	how := query.Read{Path: path}
	want, err := ask(how, nothing)
	if err != nil || len(want) != rows*dim {
		t.Fatal(len(want), err)
	}
	if got, err := ask(how.Most(1), nothing); err != nil || !slices.Equal(got, want) {
		t.Errorf("from the file: other answers, %v", err)
	}
	cut := func() {
		if err := os.Truncate(path, 1000); err != nil {
			t.Error(err)
		}
	}
	got, err := ask(how.Most(1), cut)
	if err == nil || !strings.Contains(err.Error(), "changed while it was read") || len(got) > 0 {
		t.Errorf("%d answers, error %v", len(got), err)
	}
}
