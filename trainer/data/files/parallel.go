package files

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// parallel calls f(0) ... f(n-1) on all cores until ctx ends. Then it returns at once: the scaling
// of a gigantic picture cannot be interrupted, and ends on its own.
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

// visit calls see for each of the files, on all cores, with what open gives.
func visit(
	ctx context.Context, files []File, see See,
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

// Promptly calls f and returns its results, or ctx's error at once when ctx ends: a listing of a
// million names, or of a disk that does not answer, cannot be interrupted, and ends on its own.
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

// wait waits for wg or for the end of ctx.
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
