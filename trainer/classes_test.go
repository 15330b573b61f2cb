package trainer

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// A run with classes keeps them in run.json, shows a row of each, and draws samples of each.
func TestRunWithClasses(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	c.Condition, c.Epochs = config.OfBoth, 1
	startRun(t, dir, c, -1)
	info, err := run.ReadInfo(dir)
	if err != nil || info.Classes == nil {
		t.Fatalf("no classes in run.json: %v", err)
	}
	digits := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	if !slices.Equal(info.Classes.Names, digits) || info.Classes.Images[3] != 183 {
		t.Errorf("classes %+v", info.Classes)
	}
	stored, err := run.Open(dir)
	if err != nil || stored.Config.Classes != 10 {
		t.Fatalf("%d classes are stored, %v", stored.Config.Classes, err)
	}
	g, err := stored.Generator(true, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	train := 0
	for _, n := range g.Model().Classes {
		train += int(n)
	}
	if g.Conditions() != 10 || train != 180 || g.Model().Classes[10] != 0 {
		t.Errorf("classes of the datapoints: %v", g.Model().Classes)
	}
	conditions, err := g.OfClasses([]int{7, 2}, 2)
	want := make([]float32, 40)
	want[7], want[17], want[22], want[32] = 1, 1, 1, 1
	if err != nil || !slices.Equal(conditions, want) {
		t.Errorf("conditions %v, %v", conditions, err)
	}
	g.Model().Classes[2] = 0
	if _, err := g.OfClasses([]int{2}, 1); err == nil || !strings.Contains(err.Error(), `"2"`) {
		t.Errorf("a class without datapoints: %v", err)
	}
}

// Samples for the report: those that are measured have the shares of the classes, and the grid has
// a row of each of the first ten.
func TestSamplesByClass(t *testing.T) {
	c := smallRun()
	c.Condition = config.OfPrior
	tr, err := New(context.Background(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	g := tr.method.Generator(true)
	s := tr.newSamples(g)
	if s.first != c.EvalSamples || s.last != c.EvalSamples+100 ||
		len(s.z) != s.last*c.Latent || len(s.conditions) != s.last*10 {
		t.Fatalf("samples %d to %d, %d latents, %d conditions", s.first, s.last,
			len(s.z)/c.Latent, len(s.conditions)/10)
	}
	if !slices.Equal(s.conditions[:10*s.first], g.Condition(s.first, generate.Spec{Seed: c.Seed})) {
		t.Error("what is measured has other classes than unconditional samples")
	}
	for i := s.first; i < s.last; i++ {
		if of := s.conditions[10*i : 10*i+10]; of[(i-s.first)/10] != 1 {
			t.Errorf("picture %d of the grid: %v", i-s.first, of)
		}
	}
	if n, first, last := countSamples(c, 3); n != c.EvalSamples+30 || last-first != 30 {
		t.Errorf("a grid of three classes: %d samples, %d to %d", n, first, last)
	}
	if n, first, last := countSamples(c, 0); n != 100 || first != 0 || last != 100 {
		t.Errorf("a grid without classes: %d samples, %d to %d", n, first, last)
	}
}

// A run resumes only with the labels that it began with, and needs labels for conditions.
func TestLabelsAreChecked(t *testing.T) {
	folder := t.TempDir()
	c := smallRun()
	c.Data, c.Holdout, c.Batch = filepath.Join(folder, "images"), 0.2, 10
	c.Labels, c.Condition = filepath.Join(folder, "labels.csv"), config.OfPrior
	writeIDX(t, c.Data, 50, 1)
	label := func(names ...string) {
		t.Helper()
		var text bytes.Buffer
		for i := range 50 {
			text.WriteString(names[i%len(names)] + "\n")
		}
		if err := os.WriteFile(c.Labels, text.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	label("cat", "dog")
	dir := t.TempDir()
	startRun(t, dir, c, 3)
	label("cat", "dog", "dog")
	tr, err := Resume(t.Context(), dir, c)
	if err == nil {
		tr.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "the classes cat, dog of [25 25] images") ||
		!strings.Contains(err.Error(), "these are cat, dog of [17 33]") {
		t.Errorf("other labels: %v", err)
	}
	label("cat", "dog")
	resumeRun(t, dir, c, -1)

	c.Labels = ""
	_, err = New(t.Context(), c, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), `condition = "prior": expected none, or `+
		`images with labels: a folder for each class, or a file of labels (--labels)`) {
		t.Errorf("without labels: %v", err)
	}
}

// vectors are conditions that are no classes.
type vectors struct{ n int }

func (v vectors) Len() int { return v.n }

func (v vectors) Gather(dst []float32, idx []int) {
	for i, m := range idx {
		sin, cos := math.Sincos(float64(m))
		copy(dst[2*i:], []float32{float32(sin), float32(cos)})
	}
}

// A library can give any vectors as conditions, of images without labels.
func TestTrainWithVectors(t *testing.T) {
	images := data.Table{D: 3, X: make([]float32, 40*3)}
	for i := range images.X {
		images.X[i] = float32(math.Sin(float64(i * i)))
	}
	c := method.Default()
	c.Epochs, c.Batch, c.Latent, c.DecoderWidths, c.ScoreWidth = 2, 20, 2, []int{8}, 8
	c.Solver, c.SolverSteps = "ddim", 5
	c.Condition = config.OfBoth
	if _, err := Train(t.Context(), c, images); err == nil ||
		!strings.Contains(err.Error(), "images with labels") {
		t.Errorf("without conditions: %v", err)
	}
	c.Classes = 2
	m, err := Train(t.Context(), c, images, WithConditions(vectors{40}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	like := []float32{0.5, 1, -1, 0}
	x, err := m.SampleLike(t.Context(), like, 1, 3)
	if err != nil || len(x) != 6 {
		t.Fatalf("%v, %v", x, err)
	}
	other, _ := m.SampleLike(t.Context(), []float32{0.5, 1, -1, 0.5}, 1, 3)
	if !slices.Equal(x[:3], other[:3]) || slices.Equal(x[3:], other[3:]) {
		t.Errorf("%v and %v: expected another second sample", x, other)
	}
	free, err := m.Sample(t.Context(), 2, 3)
	zeros, zerosErr := m.SampleLike(t.Context(), make([]float32, 4), 0, 3)
	if err := errors.Join(err, zerosErr); err != nil || !slices.Equal(free, zeros) {
		t.Errorf("without a condition: %v, with zeros %v, %v", free, zeros, err)
	}
	z := []float32{1, 2, 1, 2}
	y, err := m.DecodeLike(z, like)
	if err != nil || len(y) != 6 || slices.Equal(y[:3], y[3:]) {
		t.Errorf("decoded %v, %v", y, err)
	}
	for what, f := range map[string]func() error{
		"3 numbers: expected whole conditions of 2": func() error {
			_, err := m.SampleLike(t.Context(), like[:3], 0, 1)
			return err
		},
		"1 conditions of latents of 4 numbers in all, expected 2": func() error {
			_, err := m.DecodeLike(z, like[:2])
			return err
		},
		"guidance = -1": func() error {
			_, err := m.SampleLike(t.Context(), like, -1, 1)
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, expected %s", err, what)
		}
	}
}

// In memory, training on a table with labels is that of a run, and so are conditions.
func TestTrainWithClasses(t *testing.T) {
	images, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images = data.Subset(images, data.Range(0, 100))
	classes, err := data.ClassesOf(images)
	if err != nil {
		t.Fatal(err)
	}
	c := smallRun()
	c.Condition, c.Holdout, c.Epochs = config.OfPrior, 0, 1
	state := func(c config.Config, opts ...Option) any {
		m, err := Train(t.Context(), c, images, opts...)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		z, err := m.Latents()
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	want := state(c)
	c.Classes = 10
	if !reflect.DeepEqual(state(c, WithConditions(classes.Conditions(images, 10))), want) {
		t.Error("other latents than with the same conditions given")
	}
}
