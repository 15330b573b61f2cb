package memory

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserveStep is how many bytes are reserved between two checks of the context.
const reserveStep = 1 << 30

// reserve fills f, which is new, with the given number of zeros and allocates its disk space.
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
