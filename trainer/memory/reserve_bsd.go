//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package memory

import (
	"context"
	"os"
)

// reserve makes f, which is new, a file of so many zeros with its place on the disk.
func reserve(ctx context.Context, f *os.File, bytes int64) error { return writeZeros(ctx, f, bytes) }
