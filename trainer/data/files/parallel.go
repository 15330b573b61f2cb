package files

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// parallel calls f(0) ... f(n-1) on all cores. When ctx ends it returns at once, even if calls of f
// are still running: decoding a large picture cannot be interrupted.
func parallel(ctx context.Context, n int, f func(i int)) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	return wait(ctx, &wg)
}

// visit opens each of the files and calls see, on all cores.
func visit(
	ctx context.Context, files []File, see Visitor,
	open func(f File) (raster.Content, io.Closer, error),
) error {
	return parallel(ctx, len(files), func(i int) {
		if files[i].err != nil {
			see(i, nil, files[i].err)
			return
		}
		c, closer, err := open(files[i])
		if err != nil {
			see(i, nil, err)
			return
		}
		defer closer.Close()
		see(i, c, nil)
	})
}

// Promptly calls f and returns its results, or ctx's error as soon as ctx ends. It is for calls
// that cannot be interrupted, such as listing a million names or a disk that does not answer; f
// then ends in the background.
func Promptly[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type results struct {
		value T
		err   error
	}
	done := make(chan results, 1)
	go func() {
		value, err := f()
		done <- results{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// wait waits for wg or the end of ctx, and returns ctx's error.
func wait(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	return ctx.Err()
}
