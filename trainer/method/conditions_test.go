package method

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// withConditions builds the named method with given conditions, or with classes if they are nil.
func withConditions(t *testing.T, name config.Method, o config.Options, rows data.Rows) Method {
	t.Helper()
	p := pool.New(2)
	t.Cleanup(p.Close)
	m, err := New(name, Setup{
		Options: o, Train: testData(), Batch: 5, Tile: 4, Seed: testSeed, Pool: p,
		Conditions: rows,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Conditions that are all left out are zeros, bit for bit, for every method that has one stage: a
// second stage keeps them for the first. Given ones are those of the classes, if they are the same.
func TestConditionsLeftOut(t *testing.T) {
	zeros := table{D: 3, X: make([]float32, 3*testPoints)}
	ones := table{D: 3, X: make([]float32, 3*testPoints)}
	for i, l := range testLabels {
		if l >= 0 {
			ones.X[3*i+int(l)] = 1
		}
	}
	for _, name := range config.Methods {
		o := busyEncoder(2)
		if validate(name, o) != nil {
			o.Particles, o.CatchUp = 1, 0
		}
		trained := func(drop float64, rows data.Rows) state {
			o.ConditionDrop = drop
			m := withConditions(t, name, o, rows)
			for k := range stagedSteps {
				takeStep(t, m, stagedBatch(k))
			}
			s := stateOf(m)
			delete(s, tensorClasses) // given conditions are of no class
			return s
		}
		dropped, kept := trained(1-1e-9, nil), trained(0, nil)
		staged := slices.Contains(stagedMethods, name)
		if diff := dropped.diff(trained(0, zeros)); diff != "" && !staged {
			t.Errorf("%s: %s differs between conditions left out and zeros", name, diff)
		}
		if diff := kept.diff(trained(0, ones)); diff != "" {
			t.Errorf("%s: %s differs between classes and the same conditions", name, diff)
		}
		if kept.diff(dropped) == "" {
			t.Errorf("%s does not read conditions", name)
		}
	}
}

// A condition is left out with the given probability, by the datapoint and the step alone.
func TestDrop(t *testing.T) {
	const n, drop = 20000, 0.3
	labels := make([]int32, n)
	ds := table{D: 1, X: make([]float32, n), Labels: labels}
	s := Setup{Options: config.Options{
		Condition: config.OfPrior, Classes: 1, ConditionDrop: drop,
	}, Train: ds, Batch: n}
	c, err := s.newConditioning(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := kernel.Key{Seed: 3, Step: 8, Stream: streamDrop}
	c.draw(data.Range(0, n), key)
	all, left := append([]float32{}, c.x...), 0.0
	for _, v := range all {
		left += 1 - float64(v)
	}
	if se := math.Sqrt(drop * (1 - drop) / n); math.Abs(left/n-drop) > 4*se {
		t.Errorf("%.4f were left out, expected %v +- %.4f", left/n, drop, 4*se)
	}
	some := []int{n - 1, 7, 12345, 0, 99}
	c.draw(some, key)
	for i, m := range some {
		if c.x[i] != all[m] {
			t.Errorf("datapoint %d in another minibatch: %v, was %v", m, c.x[i], all[m])
		}
	}
	key.Step++
	c.draw(data.Range(0, n), key)
	same := 0.0
	for i, v := range all {
		if c.x[i] == v {
			same++
		}
	}
	want := drop*drop + (1-drop)*(1-drop) // of independent steps
	if math.Abs(same/n-want) > 4*math.Sqrt(want*(1-want)/n) {
		t.Errorf("%.4f are as in the step before, expected %.4f", same/n, want)
	}
}

// What does not fit is refused, with the remedy.
func TestConditionsRefused(t *testing.T) {
	p := pool.New(1)
	t.Cleanup(p.Close)
	unlabelled, o := testData(), busyEncoder(1)
	unlabelled.Labels = nil
	few := o
	few.Classes = 2
	none := o
	none.Classes = 0
	useless := o
	useless.Condition = config.OfPrior
	for want, s := range map[string]Setup{
		"no labels; expected a folder for each class": {Options: o, Train: unlabelled},
		"classes = 2: expected at least the 3":        {Options: few, Train: testData()},
		"classes = 0: expected the number of classes": {Options: none, Train: testData()},
		"1 conditions, expected one for each of the 9": {
			Options: o, Train: testData(), Conditions: table{D: 3, X: make([]float32, 3)},
		},
		`condition = "prior": expected none, or both`: {Options: useless, Train: testData()},
	} {
		s.Batch, s.Tile, s.Pool = 5, 4, p
		if _, err := New(config.VAE, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %s", err, want)
		}
	}
}

// The number of classes follows from the data, unless it is given.
func TestResolveClasses(t *testing.T) {
	c := Default()
	if got, err := ResolveClasses(c, 0); err != nil || got.Classes != 0 {
		t.Errorf("without conditions: %d classes, %v", got.Classes, err)
	}
	c.Condition = config.OfPrior
	for _, r := range []struct {
		given, ofData, want int
		err                 string
	}{
		{0, 10, 10, ""}, {12, 10, 12, ""},
		{8, 10, 8, "classes = 8: expected 0, or at least the 10 classes of the data"},
		{0, 0, 0, `condition = "prior": expected none, or images with labels: a folder`},
	} {
		c.Classes = r.given
		got, err := ResolveClasses(c, r.ofData)
		if got.Classes != r.want || (err == nil) != (r.err == "") ||
			err != nil && !strings.Contains(err.Error(), r.err) {
			t.Errorf("%d given, %d in the data: %d, %v", r.given, r.ofData, got.Classes, err)
		}
	}
}
