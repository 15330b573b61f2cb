package memory

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserveStep is how much is reserved between two looks at the context.
const reserveStep = 1 << 30

// reserve makes f, which is new, a file of so many zeros with its place on the disk.
func reserve(ctx context.Context, f *os.File, bytes int64) error {
	for at := int64(0); at < bytes; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n := min(reserveStep, bytes-at)
		err := unix.Fallocate(int(f.Fd()), 0, at, n)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS):
			return writeZeros(ctx, f, bytes)
		case err != nil:
			return os.NewSyscallError("fallocate", err)
		default:
			at += n
		}
	}
	return nil
}
