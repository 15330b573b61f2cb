package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// A signal this soon after the first counts as the same: timeout(1) signals its command and the
	// command's process group, a closing terminal signals in addition to its shell, and service
	// managers send SIGTERM and SIGHUP together.
	sameSignal = 500 * time.Millisecond

	// The time that a command with nothing to save has to end by itself.
	grace = 700 * time.Millisecond
)

const (
	interruptedNotice = "interrupted"
	savingNotice      = "interrupted: saving a checkpoint at the next step (a second Ctrl-C, " +
		"after half a second, ends at once without it)"
	atOnceNotice = "plume: ended at once, without a checkpoint; those saved before remain"
)

// interrupt turns SIGINT, SIGTERM and SIGHUP into the end of a context.
type interrupt struct {
	signals chan os.Signal
	code    atomic.Int32 // exit code of the first signal, 0 before it

	now    func() time.Time
	after  func(time.Duration, func()) // calls a function later
	exit   func(code int)
	notify func(string)
	cancel context.CancelFunc
	first  time.Time // when the first signal came

	stopped sync.Once

	mu      sync.Mutex // held while the process ends, so that nothing else begins
	notice  string     // printed at the first signal
	abandon bool       // there is nothing to save: the command need not be waited for
	cleanup func()     // called before it is abandoned; may be nil
	over    bool       // signals are no longer heard
}

// watchSignals returns a context that ends at the first SIGINT, SIGTERM or SIGHUP, or one of more,
// after a call of notify. Another signal half a second later or more ends the process at once.
// SIGHUP stays ignored under nohup.
func watchSignals(
	parent context.Context, notify func(string), more ...os.Signal,
) (context.Context, *interrupt) {
	ctx, cancel := context.WithCancel(parent)
	w := &interrupt{
		signals: make(chan os.Signal, 2), notify: notify, cancel: cancel, notice: interruptedNotice,
		now: time.Now, after: func(d time.Duration, do func()) {
			time.AfterFunc(d, do)
		}, exit: os.Exit,
	}
	signal.Notify(w.signals, append(more, os.Interrupt, syscall.SIGTERM)...)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(w.signals, syscall.SIGHUP)
	}
	go w.watch()
	return ctx, w
}

func (w *interrupt) watch() {
	defer w.cancel()
	for s := range w.signals {
		w.hear(s)
	}
}

func (w *interrupt) hear(s os.Signal) {
	number := syscall.SIGINT
	if other, ok := s.(syscall.Signal); ok {
		number = other
	}
	if slices.Contains(savers, s) {
		number = syscall.SIGTERM
	}
	code := 128 + int32(number)
	if w.code.CompareAndSwap(0, code) {
		w.first = w.now()
		w.mu.Lock()
		notice := w.notice
		w.mu.Unlock()
		w.notify(notice)
		w.cancel()
		w.after(grace, w.giveUp)
		return
	}
	if w.now().Sub(w.first) < sameSignal {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.abandon {
		fmt.Fprintln(os.Stderr, "\n"+atOnceNotice)
	} else if w.cleanup != nil {
		w.cleanup()
	}
	w.exit(int(code))
}

// nothingToSave allows the process to end at any point from now on, without waiting for a long
// step, a slow disk or a hanging file system. notice is printed at the first signal, and cleanup is
// called before the end unless it is nil.
func (w *interrupt) nothingToSave(notice string, cleanup func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice, w.abandon, w.cleanup = notice, true, cleanup
}

// somethingToSave makes the process wait, from now on, until the command ends by itself at its
// next step.
func (w *interrupt) somethingToSave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice, w.abandon, w.cleanup = savingNotice, false, nil
}

// giveUp ends a process that did not react to the end of its context and has nothing to save.
func (w *interrupt) giveUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.abandon {
		return
	}
	if w.cleanup != nil {
		w.cleanup()
	}
	w.exit(w.exitCode())
}

// ended replaces the error of an ended context by the exit code of the signal, and returns other
// errors unchanged. The message was printed when the signal came.
func (w *interrupt) ended(err error) error {
	if w.exitCode() != 0 && errors.Is(err, context.Canceled) {
		return &exitError{code: w.exitCode()}
	}
	return err
}

// request does what a first SIGTERM does, unless there was a signal before it: a second one would
// end the process at once.
func (w *interrupt) request() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return errors.New("it has come to its end")
	}
	if w.exitCode() == 0 && len(w.signals) == 0 {
		w.signals <- syscall.SIGTERM
	}
	return nil
}

// exitCode is that of the signal which ended the context.
func (w *interrupt) exitCode() int { return int(w.code.Load()) }

// stop restores the usual effects of signals. It may be called more than once.
func (w *interrupt) stop() {
	w.stopped.Do(func() {
		w.mu.Lock()
		w.abandon, w.over = false, true // the command has come to its end
		w.mu.Unlock()
		signal.Stop(w.signals)
		close(w.signals)
	})
}
