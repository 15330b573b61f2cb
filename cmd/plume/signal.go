package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// interrupt turns SIGINT and SIGTERM into the end of a context.
type interrupt struct {
	signals chan os.Signal
	code    atomic.Int32 // exit code of the first signal, 0 before it
}

// watchSignals returns a context that ends with the first SIGINT or SIGTERM, after notify was
// told; the second ends the process at once.
func watchSignals(parent context.Context, notify func(string)) (context.Context, *interrupt) {
	ctx, cancel := context.WithCancel(parent)
	w := &interrupt{signals: make(chan os.Signal, 2)}
	signal.Notify(w.signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer cancel()
		for s := range w.signals {
			code := int32(128 + int(syscall.SIGINT))
			if s == syscall.SIGTERM {
				code = 128 + int32(syscall.SIGTERM)
			}
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
