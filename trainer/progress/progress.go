// Package progress reports what slow work is doing. Work that ends within First reports nothing.
//
// A Reporter runs a function in a goroutine of its own and calls Report from time to time with
// what the function last passed to Task.Set and Task.At.
package progress

import (
	"sync"
	"time"
)

// First is the time until the first report, Every the time between reports.
const (
	First = 3 * time.Second
	Every = 10 * time.Second
)

// Reporter runs work and reports what it is doing.
type Reporter struct {
	Report func(what string)                    // called by the goroutine of Run
	After  func(time.Duration) <-chan time.Time // nil: time.After
}

// Task is work in progress.
type Task struct {
	mu    sync.Mutex
	what  string
	at    string
	calls chan func()
}

// Set describes what the task does from now on; "" stops the reports. Any goroutine may call it.
func (t *Task) Set(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.what, t.at = what, ""
}

// At says how far the task has come with what Set described: "300 of 1,000 pictures". Any goroutine
// may call it.
func (t *Task) At(at string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at = at
}

func (t *Task) now() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.what == "" || t.at == "" {
		return t.what
	}
	return t.what + ": " + t.at
}

// Do makes the goroutine of Run call f, and waits until f returns. Only the goroutine of the work
// may call it.
func (t *Task) Do(f func()) {
	called := make(chan struct{})
	t.calls <- func() { defer close(called); f() }
	<-called
}

// Reading is Run of work that reads source. Unless the task says something else, it is reported as
// "still reading the data SOURCE".
func (r Reporter) Reading(source string, work func(t *Task) error) error {
	report := func(what string) { r.Report("still reading " + what) }
	still := Reporter{Report: report, After: r.After}
	return still.Run(func(t *Task) error {
		t.Set("the data " + source)
		return work(t)
	})
}

// Run runs work in a goroutine of its own, reports on it until it returns, and returns its error.
func (r Reporter) Run(work func(t *Task) error) error {
	after := r.After
	if after == nil {
		after = time.After
	}
	t, done := &Task{calls: make(chan func())}, make(chan error, 1)
	go func() { done <- work(t) }()
	tick := after(First)
	for {
		select {
		case err := <-done:
			return err
		case f := <-t.calls:
			f()
		case <-tick:
			if what := t.now(); what != "" {
				r.Report(what)
			}
			tick = after(Every)
		}
	}
}
