package evaluate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/classify"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// told runs an evaluation in what could be a new process, and returns what it said of its progress.
func told(t *testing.T, dir string) (*Report, string) {
	t.Helper()
	classifiers.Lock()
	classifiers.kept = map[classify.Key]*classify.Classifier{}
	classifiers.Unlock()
	var lines []string
	o := few
	o.Which = []string{Classifier}
	o.Progress = func(line string) { lines = append(lines, line) }
	r := mustRun(t, dir, o)
	return r, strings.Join(lines, "\n")
}

func untrained(c *config.Config) { c.Epochs = 1 }

// A classifier is trained once for all runs that are beside each other, and gives the same report.
// One that is damaged is not taken.
func TestKeptClassifier(t *testing.T) {
	const training, reading = "training the classifier", "is read from "
	first := tiny(t, untrained)
	path := run.ClassifierPath(first)
	want, lines := told(t, first)
	if !strings.Contains(lines, training) || !strings.Contains(lines, "is kept in "+path) {
		t.Fatalf("the first evaluation said:\n%s", lines)
	}
	again, lines := told(t, first)
	if strings.Contains(lines, training) || !strings.Contains(lines, reading+path) {
		t.Errorf("the second evaluation said:\n%s", lines)
	}
	if text(t, again) != text(t, want) {
		t.Errorf("%s, expected %s", text(t, again), text(t, want))
	}

	beside := tiny(t, func(c *config.Config) { c.Epochs, c.Seed = 1, 2 })
	if filepath.Dir(beside) != filepath.Dir(first) {
		t.Fatalf("%s and %s are not beside each other", first, beside)
	}
	other, lines := told(t, beside)
	if !strings.Contains(lines, reading+path) || *other.Classifier != *want.Classifier {
		t.Errorf("the run beside: %+v\n%s", other.Classifier, lines)
	}

	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	again, lines = told(t, first)
	if !strings.Contains(lines, "a kept classifier is not used: "+path) ||
		!strings.Contains(lines, training) || text(t, again) != text(t, want) {
		t.Errorf("after damage: %s\n%s", text(t, again), lines)
	}
}

// A classifier of other options or data is not taken, and nothing is said of it.
func TestOtherClassifier(t *testing.T) {
	dir := tiny(t, untrained)
	ds, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := pool.New(1)
	defer p.Close()
	o := classify.Default(ds.Shape())
	o.Epochs = 1
	c, err := classify.Train(t.Context(), ds, o, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := classify.KeyOf("another print", ds, o)
	if err := c.Save(file.OS, run.ClassifierPath(dir), key); err != nil {
		t.Fatal(err)
	}
	r, lines := told(t, dir)
	if r.Classifier.Hash == c.Hash() || !strings.Contains(lines, "training the classifier") ||
		strings.Contains(lines, "not used") {
		t.Errorf("%+v\n%s", r.Classifier, lines)
	}
}

// Where the classifier cannot be kept, the evaluation goes on.
func TestClassifierThatCannotBeKept(t *testing.T) {
	dir := tiny(t, untrained)
	if err := os.MkdirAll(filepath.Join(run.ClassifierPath(dir), "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	r, lines := told(t, dir)
	if value(t, r, "ffd"); !strings.Contains(lines, "will have to train the classifier again") {
		t.Error(lines)
	}
}
