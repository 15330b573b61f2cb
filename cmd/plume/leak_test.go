package main

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// leakFree runs tests that must end the goroutines that they started in this process.
type leakFree struct{ *testing.M }

func (l leakFree) Run() int {
	code := l.M.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
