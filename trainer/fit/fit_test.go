package fit_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/fit"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// line is y = 2 x - 1, with x from N(0, 1), and its squared errors.
func line(rows int) (fit.Problem, []float32) {
	x := reference.Normals(rows, 5, 1)
	return fit.Problem{
		Rows: rows,
		Fill: func(pass *model.Pass, idx []int) {
			for i, k := range idx {
				pass.In(0)[i] = x[k]
			}
		},
		Loss: func(out []float32, idx []int) {
			for i, k := range idx {
				out[i] -= 2*x[k] - 1
			}
		},
	}, x
}

// A line is found, at any number of workers with the same bits; each row is used once in a pass.
func TestFindsLine(t *testing.T) {
	const rows = 130
	found := func(workers int) []float32 {
		p := pool.New(workers)
		defer p.Close()
		net := model.NewMLP(nil, 1, 1)
		params := make([]float32, net.Layout().Size())
		training, err := fit.New(net, params, fit.Size(net, 13, 5, workers), p)
		if err != nil {
			t.Fatal(err)
		}
		problem, _ := line(rows)
		var passes []int
		o := fit.Options{Seed: 1, Epochs: 60, Batch: 13, LR: 0.1}
		err = training.Run(t.Context(), problem, o, func(pass, all int) {
			if passes = append(passes, pass); all != 60 {
				t.Errorf("%d passes", all)
			}
		})
		if err != nil || !slices.Equal(passes, data.Range(1, 61)) {
			t.Errorf("passes %v, %v", passes, err)
		}
		return params
	}
	one := found(1)
	for i, want := range []float64{2, -1} { // weight, bias; the learning rate falls to 0
		if math.Abs(float64(one[i])-want) > 1e-3 {
			t.Errorf("parameter %d is %v, expected %v", i, one[i], want)
		}
	}
	if !slices.Equal(found(3), one) {
		t.Error("the parameters depend on the number of workers")
	}
}

// A step's gradient is that of the mean loss, in closed form, over rows in waves and tiles of their
// own. Nothing goes on after the context.
func TestGradient(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	net := model.NewMLP(nil, 1, 1)
	params := []float32{0.5, 0.25}
	size := model.Size{Rows: 11, Wave: 4, Tile: 3, Passes: 2}
	training, err := fit.New(net, params, size, p)
	if err != nil {
		t.Fatal(err)
	}
	problem, x := line(20)
	idx := []int{3, 5, 0, 19, 7, 7, 8, 1, 2, 11, 12}
	training.Step(problem, idx, 0)
	var byWeight, byBias float64
	for _, k := range idx {
		e := 0.5*float64(x[k]) + 0.25 - (2*float64(x[k]) - 1)
		byWeight, byBias = byWeight+e*float64(x[k])/11, byBias+e/11
	}
	for i, want := range []float64{byWeight, byBias} {
		if math.Abs(float64(training.G[i])-want) > 1e-6 {
			t.Errorf("gradient %d is %v, expected %v", i, training.G[i], want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	err = training.Run(ended, problem, fit.Options{Epochs: 1, Batch: 11}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
