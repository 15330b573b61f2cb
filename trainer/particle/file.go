package particle

import (
	"context"
	"sync/atomic"

	"github.com/plume-ml/plume/trainer/memory"
)

// stored is the storage of a cloud's positions and velocities.
type stored struct {
	file   *memory.Mapping // nil: on the heap
	failed atomic.Pointer[error]
}

// NewFileCloud is NewCloud with positions and velocities in an unnamed file in dir (memory.Map), so
// that particles need not fit in memory. The cloud and its moves have the same bits as in memory.
// Errors of reading and writing do not end a move: the caller must check Err after moves. Close
// releases the file.
//
// It stops early, with ctx's error, when ctx ends. With a counting arena it creates no file.
func NewFileCloud(
	ctx context.Context, a *memory.Arena, dir string, first, m, n, d int, momentum bool,
	seed uint64,
) (*Cloud, error) {
	c := &Cloud{
		First: first, M: m, N: n, D: d, first: first * n, Visited: a.Uint32s(memory.Particles, m),
	}
	if momentum {
		c.U = []float32{}
	}
	if a.Counts() {
		return c, nil
	}
	var err error
	if c.file, err = memory.Map(ctx, dir, FileBytes(m, n, d, momentum)); err != nil {
		return nil, err
	}
	size := m * n * d
	c.Z = c.file.Floats(0, size)
	if momentum {
		c.U = c.file.Floats(size, 2*size)
	}
	c.touch(func() { err = c.draw(ctx, seed) })
	if err == nil {
		err = c.Err()
	}
	if err != nil {
		_ = c.Close() // err is the cause
		return nil, err
	}
	return c, nil
}

// FileBytes is the size of the file of NewFileCloud: positions and, with momentum, velocities.
func FileBytes(m, n, d int, momentum bool) int64 {
	arrays := 1
	if momentum {
		arrays = 2
	}
	return memory.Array[float32](arrays, m, n, d)
}

// touch calls f, which accesses positions or velocities, and records a fault of the file.
func (c *Cloud) touch(f func()) {
	if c.file == nil {
		f()
		return
	}
	if err := memory.Catch(f); err != nil {
		c.fail(err)
	}
}

// fail records the first error.
func (c *Cloud) fail(err error) { c.failed.CompareAndSwap(nil, &err) }

// Err returns the first failure of the cloud's file, after which particles are lost. The error
// names the directory. For a cloud in memory it is always nil.
func (c *Cloud) Err() error {
	if c.file == nil {
		return nil
	}
	if c.failed.Load() == nil {
		if err := c.file.Check(); err != nil {
			c.fail(err)
		}
	}
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Close releases the cloud's file, if it has one. The cloud must not be used afterwards.
func (c *Cloud) Close() error {
	if c.file == nil {
		return nil
	}
	c.Z, c.U = nil, nil
	return c.file.Close()
}

// Update calls f with the positions of each particle of datapoints lo to hi, and the datapoint's
// number m, to change them.
func (c *Cloud) Update(lo, hi int, f func(z []float32, m int)) {
	c.touch(func() {
		for m := lo; m < hi; m++ {
			for z := c.rows(m); len(z) > 0; z = z[c.D:] {
				f(z[:c.D], m)
			}
		}
	})
}

// Row copies the position of particle n of datapoint m into dst.
func (c *Cloud) Row(dst []float32, m, n int) {
	c.touch(func() { copy(dst, c.rows(m)[n*c.D:(n+1)*c.D]) })
}

// rows are the positions of the particles of datapoint m.
func (c *Cloud) rows(m int) []float32 {
	size := c.N * c.D
	return c.Z[(m-c.First)*size:][:size]
}

// prefetch requests rows lo to hi-1 of the batch from a cloud's file, with one request for adjacent
// rows, so that the disk serves many requests at once instead of one page fault after another.
func (b *Batch) prefetch(lo, hi int) {
	if b.file == nil {
		return
	}
	size := b.M * b.N * b.D
	for i := lo; i < hi; {
		end := i + 1
		for end < hi && b.IDs[end] == b.IDs[end-1]+1 {
			end++
		}
		first, last := b.row(b.IDs[i])*b.D, b.row(b.IDs[end-1]+1)*b.D
		b.file.Prefetch(first, last)
		if b.U != nil {
			b.file.Prefetch(size+first, size+last)
		}
		i = end
	}
}
