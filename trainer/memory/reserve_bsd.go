//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package memory

import (
	"context"
	"os"
)

// reserve fills f, which is new, with the given number of zeros and allocates its disk space.
func reserve(ctx context.Context, f *os.File, bytes int64) error {
	return writeZeros(ctx, f, bytes)
}
