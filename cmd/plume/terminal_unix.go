//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// watchTerminal calls redraw when the terminal has changed its size, and when the process goes on
// after it was suspended. The function that it returns ends that.
func watchTerminal(redraw func(paused bool)) (end func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGCONT)
	go func() {
		defer close(done)
		for s := range signals {
			redraw(s == syscall.SIGCONT)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
