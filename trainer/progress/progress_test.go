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

// clock is a time that stands still until it is moved on.
type clock struct {
	asked chan time.Duration
	ticks chan time.Time
}

func newClock() *clock { return &clock{make(chan time.Duration, 10), make(chan time.Time)} }

func (c *clock) after(d time.Duration) <-chan time.Time {
	c.asked <- d
	return c.ticks
}

// Long work tells what it does at the time, by the goroutine of Run, first after 3 s and then every 10 s.
func TestLongWork(t *testing.T) {
	c := newClock()
	var told []string
	failed := errors.New("failed")
	err := progress.Teller{
		Tell:  func(s string) { told = append(told, s) },
		After: c.after,
	}.Run(
		func(d *progress.Doing) error {
			if got := <-c.asked; got != progress.First {
				t.Errorf("first told after %v", got)
			}
			d.Set("pass 1")
			d.Set("pass 2")
			c.ticks <- time.Time{}
			if got := <-c.asked; got != progress.Every {
				t.Errorf("told again after %v", got)
			}
			d.Set("pass 3")
			d.Do(func() { told = append(told, "a warning") }) // a data race if another goroutine ran it
			c.ticks <- time.Time{}
			<-c.asked
			d.Set("")
			c.ticks <- time.Time{}
			<-c.asked
			return failed
		},
	)
	if want := []string{"pass 2", "a warning", "pass 3"}; !errors.Is(err, failed) || !slices.Equal(told, want) {
		t.Errorf("told %q, %v; expected %q", told, err, want)
	}
}

// Work that ends before tells nothing.
func TestShortWork(t *testing.T) {
	c := newClock()
	err := progress.Teller{Tell: func(s string) { t.Error(s) }, After: c.after}.Run(func(d *progress.Doing) error {
		d.Set("something")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
