//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package memory

import (
	"context"
	"fmt"
	"runtime"
)

// Map returns an error: plume cannot map files into memory on this system.
func Map(context.Context, string, int64) (*Mapping, error) {
	return nil, fmt.Errorf("%w: plume cannot map files on %s", ErrMapping, runtime.GOOS)
}

// Prefetch does nothing.
func (m *Mapping) Prefetch(int, int) {}

// Close does nothing.
func (m *Mapping) Close() error { return nil }
