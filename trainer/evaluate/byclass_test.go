package evaluate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/metric"
)

// Samples of a model with classes are compared with their classes. A model without has none.
func TestByClass(t *testing.T) {
	o := few
	o.Which, o.Samples = []string{ByClass, Reconstruction}, 800
	dir := tiny(t, func(c *config.Config) {
		c.Condition, c.Epochs = config.OfBoth, 60
	})
	r := mustRun(t, dir, o)
	accuracy := value(t, r, "class_accuracy")
	// 0.91 here; without the conditions it would be a tenth.
	if accuracy.Value < 0.5 || accuracy.Floor < 0.9 || accuracy.Group != ByClass {
		t.Errorf("accuracy %+v", accuracy)
	}
	if len(r.Classes) != 10 {
		t.Fatalf("%d classes", len(r.Classes))
	}
	samples, right, distances := 0, 0.0, 0
	for i, c := range r.Classes {
		if c.Class != string(rune('0'+i)) {
			t.Errorf("class %d is %s", i, c.Class)
		}
		samples += c.Samples
		right += float64(c.Accuracy) * float64(c.Samples)
		if c.PCA64FD.Finite() != (c.Samples > 64) || c.FFD.Finite() != (c.Samples > 128) {
			t.Errorf("distances of %d samples: %+v", c.Samples, c)
		}
		if c.PCA64FD.Finite() {
			distances++
		}
	}
	if samples != 800 || math.Abs(right/800-float64(accuracy.Value)) > 1e-9 || distances == 0 {
		t.Errorf("%d samples, %v right, %d distances", samples, right, distances)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "class  samples") {
		t.Errorf("%v\n%s", err, text.String())
	}
	o.Which, o.Guidance = []string{ByClass}, 2
	guided := mustRun(t, dir, o)
	if got := value(t, guided, "class_accuracy"); got.Value == accuracy.Value ||
		guided.Guidance != 2 {
		t.Errorf("with guidance %v an accuracy of %v, was %v", guided.Guidance, got.Value,
			accuracy.Value)
	}

	dir = tiny(t, func(c *config.Config) { c.Epochs = 1 })
	if _, err := Run(t.Context(), dir, o); err == nil ||
		!strings.Contains(err.Error(), "trained without conditions") {
		t.Errorf("guidance without conditions: %v", err)
	}
	o.Guidance = 0
	if r = mustRun(t, dir, o); len(r.Metrics) > 0 || len(r.Notes) != 1 ||
		!strings.Contains(r.Notes[0], "condition = none") {
		t.Errorf("without conditions: %+v", r)
	}
}

// The classes of the sets stay with their images: features here are numbers whose tens are the
// class.
func TestClassesOfSets(t *testing.T) {
	tens := func(n int) (f *metric.Features, of []int32) {
		x := make([]float32, n)
		for i := range x {
			k := i * i % 4
			x[i], of = float32(10*k+i%10), append(of, int32(k))
		}
		return metric.NewFeatures(x, n, 1), of
	}
	for _, n := range []int{6, 10, 25} {
		s := sets{}
		s.reference, s.classes.reference = tens(40)
		var held *metric.Features
		held, s.classes.held = tens(10)
		s.floor(held, n, 7)
		for what, part := range map[string]struct {
			f  *metric.Features
			of []int32
		}{
			"reference": {s.reference, s.classes.reference}, "real": {s.real, s.classes.real},
		} {
			if len(part.of) != part.f.N {
				t.Fatalf("%d: %s has %d classes for %d images", n, what, len(part.of), part.f.N)
			}
			for i, k := range part.of {
				if int32(part.f.X[i]/10) != k {
					t.Errorf("%d: image %d of %s is %v, class %d", n, i, what, part.f.X[i], k)
				}
			}
		}
	}
}

// The distance of a class is that of its own images alone.
func TestClassDistance(t *testing.T) {
	x := make([]float32, 400)
	var of []int32
	for i := range x {
		of = append(of, int32(i%2))
		x[i] = float32(math.Sin(float64(i*i))) + 5*float32(i%2)
	}
	moved := slices.Clone(x)
	for i := range moved {
		if i%2 == 1 {
			moved[i] += 3
		}
	}
	s := &sets{
		samples: metric.NewFeatures(moved, 400, 1), reference: metric.NewFeatures(x, 400, 1),
		classes: classSets{samples: of, reference: of},
	}
	e := &evaluation{ctx: t.Context(), subject: &subject{}}
	for class, want := range []float64{0, 9} { // the square of the shift
		value, floor, err := e.classDistance(s, int32(class))
		if err != nil || math.Abs(float64(value)-want) > 1e-4 || floor.Finite() {
			t.Errorf("class %d: %v, %v, %v; expected %v", class, value, floor, err, want)
		}
	}
	if value, _, err := e.classDistance(s, 2); err != nil || value.Finite() {
		t.Errorf("a class without images: %v, %v", value, err)
	}
}
