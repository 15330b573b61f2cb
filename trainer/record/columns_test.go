package record

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

// A record's values by name are what JSON has under that name, and no number is left out.
func TestColumns(t *testing.T) {
	two := Number(2)
	e := Epoch{Epoch: 3, Step: 7, Seconds: 1.5, ReconMSE: 0.25, PCA64FD: &two, EvalSolver: "ddim"}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var stored map[string]any
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	numbers := 0
	for name, v := range stored {
		if want, ok := v.(float64); ok {
			numbers++
			if got := e.Value(name); got != want || !slices.Contains(Columns(), name) {
				t.Errorf("%s is %v, expected %v", name, got, want)
			}
		}
	}
	if numbers < 20 {
		t.Errorf("%d numbers", numbers)
	}
	for _, name := range []string{"heldout_mse", "eval_solver", "none"} {
		if v := e.Value(name); !math.IsNaN(v) {
			t.Errorf("%s is %v", name, v)
		}
	}
}

// Points without a value, or with one that is not finite, are left out.
func TestCurve(t *testing.T) {
	one, two, nan := Number(1), Number(2), Number(math.NaN())
	x, y := Curve([]Epoch{
		{Step: 4, PCA64FD: &one}, {Step: 8}, {Step: 12, PCA64FD: &nan}, {Step: 16, PCA64FD: &two},
	}, "step", "pca64_fd")
	if !slices.Equal(x, []float64{4, 16}) || !slices.Equal(y, []float64{1, 2}) {
		t.Errorf("%v, %v", x, y)
	}
}
