package particle

import (
	"context"
	"sync/atomic"

	"github.com/plume-ml/plume/trainer/memory"
)

// stored is where the positions and velocities of a cloud lie, and what became of that.
type stored struct {
	file   *memory.Mapping // nil: on the heap
	failed atomic.Pointer[error]
}

// NewFileCloud is NewCloud with positions and velocities in a file without a name in dir
// (memory.Map), for particles that need not fit the machine's memory: the same cloud, the same
// moves, the same bits. Close gives the file back; Err must be asked after moves, since what fails
// to be read or written there ends no move. It stops early, with ctx's error, when ctx ends.
// An arena that counts makes no file.
func NewFileCloud(
	ctx context.Context, a *memory.Arena, dir string, m, n, d int, momentum bool, seed uint64,
) (*Cloud, error) {
	c := &Cloud{M: m, N: n, D: d, Visited: a.Uint32s(memory.Particles, m)}
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
		_ = c.Close() // the first error is what counts
		return nil, err
	}
	return c, nil
}

// FileBytes is the size of the file of a NewFileCloud: positions, and velocities with momentum.
func FileBytes(m, n, d int, momentum bool) int64 {
	arrays := 1
	if momentum {
		arrays = 2
	}
	return memory.Array[float32](arrays, m, n, d)
}

// touch calls f, which reads or writes positions or velocities.
func (c *Cloud) touch(f func()) {
	if c.file == nil {
		f()
		return
	}
	if err := memory.Catch(f); err != nil {
		c.fail(err)
	}
}

// fail notes an error, of which the first counts.
func (c *Cloud) fail(err error) { c.failed.CompareAndSwap(nil, &err) }

// Err is the first failure of the cloud's file, an error that names its directory: since then
// particles are lost. A cloud in memory has none.
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

// Close gives the cloud's file back, if it has one. The cloud is of no use afterwards.
func (c *Cloud) Close() error {
	if c.file == nil {
		return nil
	}
	c.Z, c.U = nil, nil
	return c.file.Close()
}

// Row copies the position of particle n of datapoint m into dst.
func (c *Cloud) Row(dst []float32, m, n int) {
	row := (m*c.N + n) * c.D
	c.touch(func() { copy(dst, c.Z[row:row+c.D]) })
}

// prefetch asks for rows lo to hi of the batch in a cloud's file, one request for rows that lie
// together, so that the disk works on many at a time instead of one fault after the other.
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
		first, last := int(b.IDs[i])*b.D, int(b.IDs[end-1]+1)*b.D
		b.file.Prefetch(first, last)
		if b.U != nil {
			b.file.Prefetch(size+first, size+last)
		}
		i = end
	}
}
