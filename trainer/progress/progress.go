// Package progress says what takes long: work that is done within seconds says nothing.
package progress

import (
	"sync"
	"time"
)

// First is how long work goes on before it is told what it does, and Every how often from then on.
const (
	First = 3 * time.Second
	Every = 10 * time.Second
)

// Teller runs work and tells what it is doing. The zero After is time.After.
type Teller struct {
	Tell  func(what string) // called by the goroutine of Run
	After func(time.Duration) <-chan time.Time
}

// Doing is work under way.
type Doing struct {
	mu    sync.Mutex
	what  string
	calls chan func()
}

// Set says what is being done from now on. It may be called by any goroutine.
func (d *Doing) Set(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.what = what
}

func (d *Doing) now() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.what
}

// Do has f called by the goroutine of Run, and waits for it. It is for the work's own goroutine.
func (d *Doing) Do(f func()) {
	called := make(chan struct{})
	d.calls <- func() { defer close(called); f() }
	<-called
}

// Run runs work in a goroutine of its own, waits for it, and meanwhile tells what it last said it
// does.
func (t Teller) Run(work func(d *Doing) error) error {
	after := t.After
	if after == nil {
		after = time.After
	}
	d, done := &Doing{calls: make(chan func())}, make(chan error, 1)
	go func() { done <- work(d) }()
	tick := after(First)
	for {
		select {
		case err := <-done:
			return err
		case f := <-d.calls:
			f()
		case <-tick:
			if what := d.now(); what != "" {
				t.Tell(what)
			}
			tick = after(Every)
		}
	}
}
