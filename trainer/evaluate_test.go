package trainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/record"
)

// With eval_samples = 0 a run has no reports: no distance, no pictures, no principal components,
// and no memory for them. It still writes the records of epochs and the summary.
func TestNoReports(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	c.EvalSamples = 0
	var summary Summary
	var records []record.Epoch
	tr, err := New(context.Background(), c, dir, WithHook(Hook{
		OnEnd:   func(s Summary) { summary = s },
		OnEpoch: func(e record.Epoch) { records = append(records, e) },
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	if len(records) != runEpochs ||
		slices.ContainsFunc(records, func(e record.Epoch) bool { return e.PCA64FD != nil }) ||
		tr.reports.pca != nil {
		t.Errorf("%+v", records)
	}
	if summary.SamplePath != "" || summary.ReconPath != "" ||
		summary.Samples != 0 || summary.Steps != runSteps {
		t.Errorf("%+v", summary)
	}
	if _, err := os.Stat(filepath.Join(dir, "samples")); !os.IsNotExist(err) {
		t.Errorf("pictures were drawn: %v", err)
	}
	reports := func(samples int) memory.Part {
		c.EvalSamples = samples
		images, err := data.Find(t.Context(), c.Data, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := estimate(c, images, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		return m.Parts[len(m.Parts)-1]
	}
	if off, on := reports(0), reports(2); off.Bytes > on.Bytes/4 {
		t.Errorf("%v without reports, %v with the smallest", off, on)
	}
	// A run goes on with reports when it is asked to.
	c.EvalSamples, c.Epochs = 50, runEpochs+1
	onEnd := WithHook(Hook{OnEnd: func(s Summary) { summary = s }})
	tr, err = Resume(context.Background(), dir, c, onEnd)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	if summary.Final.PCA64FD == nil || summary.SamplePath == "" {
		t.Errorf("%+v", summary)
	}
}

// slowImages are images whose 5th gathering waits until it is let on.
type slowImages struct {
	data.Dataset
	gathered int
	wait     chan struct{}
}

func (s *slowImages) Gather(dst []float32, idx []int) {
	if s.gathered++; s.gathered == 5 {
		s.wait <- struct{}{} // is waiting
		<-s.wait
	}
	s.Dataset.Gather(dst, idx)
}

// A report that takes long sends a message that says what it does, and over how many images.
func TestSlowReport(t *testing.T) {
	all, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	train, _, err := data.Split(all, 0.9, 1) // 180 images: 6 pieces of 32 in each pass
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowImages{Dataset: train, wait: make(chan struct{})}
	ticks, asked := make(chan time.Time), make(chan time.Duration, 10)
	var messages []string
	after := func(d time.Duration) <-chan time.Time {
		asked <- d
		return ticks
	}
	tr := &Trainer{pool: pool.New(1), data: images{train: slow}, reports: reports{after: after}}
	defer tr.pool.Close()
	WithHook(Hook{OnMessage: func(s string) { messages = append(messages, s) }})(tr)
	go func() {
		<-slow.wait
		<-asked
		ticks <- time.Time{}
		<-asked
		slow.wait <- struct{}{}
	}()
	err = tr.slowly(func(d *progress.Task) error { return tr.fitPCA(t.Context(), d) })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"report: principal components of 180 images of 8 x 8, pass 1"}
	if !slices.Equal(messages, want) {
		t.Errorf("messages %q, expected %q", messages, want)
	}
	if tr.reports.pca == nil {
		t.Error("no components")
	}
}

// A run that is interrupted while it fits the components saves its state, and fits them when it is
// resumed.
func TestInterruptedComponents(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	tr, err := New(context.Background(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	tr.data.train = &endingImages{tr.data.train, end}
	err = tr.Run(ctx)
	if !errors.Is(err, ErrInterrupted) || tr.reports.pca != nil || tr.reports.pcaTried {
		t.Errorf("%v, tried: %v", err, tr.reports.pcaTried)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	end()
	var warnings []string
	tr, err = Resume(
		context.Background(),
		dir,
		c,
		warningsTo(&warnings),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil || tr.reports.pca == nil ||
		strings.Contains(strings.Join(warnings, ""), "PCA") {
		t.Errorf("%v, %q", err, warnings)
	}
}

// endingImages end a context when they are gathered for the components: 32 at a time.
type endingImages struct {
	data.Dataset
	end func()
}

func (s *endingImages) Gather(dst []float32, idx []int) {
	if len(idx) == 32 && idx[0] == 0 {
		s.end()
	}
	s.Dataset.Gather(dst, idx)
}
