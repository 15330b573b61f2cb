package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// interrupt turns SIGINT, SIGTERM and SIGHUP into the end of a context.
type interrupt struct {
	signals chan os.Signal
	code    atomic.Int32 // exit code of the first signal, 0 before it
}

// watchSignals returns a context that ends with the first SIGINT, SIGTERM or SIGHUP, after
// notify was told; the second ends the process at once. SIGHUP stays ignored under nohup.
func watchSignals(parent context.Context, notify func(string)) (context.Context, *interrupt) {
	ctx, cancel := context.WithCancel(parent)
	w := &interrupt{signals: make(chan os.Signal, 2)}
	signal.Notify(w.signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(w.signals, syscall.SIGHUP)
	}
	go func() {
		defer cancel()
		for s := range w.signals {
			number := syscall.SIGINT
			if other, ok := s.(syscall.Signal); ok {
				number = other
			}
			code := 128 + int32(number)
			if !w.code.CompareAndSwap(0, code) {
				fmt.Fprintln(os.Stderr, "\nplume: ended at once; the last saved checkpoint remains")
				os.Exit(int(code))
			}
			notify("interrupted: saving a checkpoint at the next step (a second Ctrl-C ends at once)")
			cancel()
		}
	}()
	return ctx, w
}

// exitCode is that of the signal which ended the context.
func (w *interrupt) exitCode() int { return int(w.code.Load()) }

func (w *interrupt) stop() {
	signal.Stop(w.signals)
	close(w.signals)
}
