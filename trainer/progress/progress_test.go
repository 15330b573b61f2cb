package progress_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer/progress"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock replaces time.After: it records the durations asked for and ticks on demand.
type clock struct {
	asked chan time.Duration
	ticks chan time.Time
}

func newClock() *clock { return &clock{make(chan time.Duration, 10), make(chan time.Time)} }

func (c *clock) after(d time.Duration) <-chan time.Time {
	c.asked <- d
	return c.ticks
}

// Slow work reports its current activity, in the goroutine of Run: first after First, then at
// intervals of Every.
func TestLongWork(t *testing.T) {
	c := newClock()
	var reports []string
	failed := errors.New("failed")
	r := progress.Reporter{Report: func(s string) { reports = append(reports, s) }, After: c.after}
	err := r.Run(func(task *progress.Task) error {
		if got := <-c.asked; got != progress.First {
			t.Errorf("first report after %v", got)
		}
		task.Set("pass 1")
		task.Set("pass 2")
		c.ticks <- time.Time{}
		if got := <-c.asked; got != progress.Every {
			t.Errorf("next report after %v", got)
		}
		task.Set("pass 3")
		// The race detector objects if another goroutine runs this.
		task.Do(func() { reports = append(reports, "a warning") })
		c.ticks <- time.Time{}
		<-c.asked
		task.Set("")
		c.ticks <- time.Time{}
		<-c.asked
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("error %v, expected that of the work", err)
	}
	if want := []string{"pass 2", "a warning", "pass 3"}; !slices.Equal(reports, want) {
		t.Errorf("reports %q, expected %q", reports, want)
	}
}

// Work that ends before the first report is due reports nothing.
func TestShortWork(t *testing.T) {
	r := progress.Reporter{Report: func(s string) { t.Error(s) }, After: newClock().after}
	err := r.Run(func(task *progress.Task) error {
		task.Set("something")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Reading names the data, unless the work says something else, and how far it has come.
func TestReading(t *testing.T) {
	c := newClock()
	var reports []string
	r := progress.Reporter{Report: func(s string) { reports = append(reports, s) }, After: c.after}
	err := r.Reading("photos", func(task *progress.Task) error {
		<-c.asked
		c.ticks <- time.Time{}
		<-c.asked
		task.At("5 of 9 pictures")
		c.ticks <- time.Time{}
		<-c.asked
		task.Set("its labels")
		c.ticks <- time.Time{}
		<-c.asked
		return nil
	})
	want := []string{
		"still reading the data photos", "still reading the data photos: 5 of 9 pictures",
		"still reading its labels",
	}
	if err != nil || !slices.Equal(reports, want) {
		t.Errorf("reports %q, %v; expected %q", reports, err, want)
	}
}
