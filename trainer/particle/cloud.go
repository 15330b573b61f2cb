// Package particle implements clouds of latent particles and the Langevin moves that update them.
//
// A Cloud holds all particles; NewCloud draws it from N(0, I), in memory, and NewFileCloud in a
// file. A Batch holds copies of some of its rows. A training step calls Select, SetSteps and
// Gather, fills the drift in G and P, and calls Move, which also updates the cloud. The package
// knows nothing of the networks that determine the drift.
package particle

import (
	"context"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// Cloud holds N particles of D numbers for each of M datapoints, of which First is the number of
// the first. Particle n of datapoint m is row (m-First)*N+n. Its address in the noise streams is
// m*N+n, unless Begin says otherwise.
type Cloud struct {
	First   int
	M, N, D int
	Z       []float32 // M*N x D positions
	U       []float32 // M*N x D velocities; nil for overdamped dynamics
	Visited []uint32  // for each datapoint, 1 + the minibatch of its last visit; 0: never visited

	first int // address of row 0 in the noise streams
	stored
}

// NewCloud returns a cloud for m datapoints, with positions drawn from N(0, I) and, with momentum,
// zero velocities. first is the number of the first datapoint.
func NewCloud(a *memory.Arena, first, m, n, d int, momentum bool, seed uint64) *Cloud {
	c := &Cloud{
		First: first, M: m, N: n, D: d, first: first * n,
		Z: a.Floats(memory.Particles, m, n, d), Visited: a.Uint32s(memory.Particles, m),
	}
	if momentum {
		c.U = a.Floats(memory.Particles, m, n, d)
	}
	a.Fill(func() { _ = c.draw(context.Background(), seed) }) // never cancelled
	return c
}

// Begin makes the cloud that of other datapoints, the first of which is number m in the noise
// streams: their particles are drawn from N(0, I), with zero velocities.
func (c *Cloud) Begin(m int, seed uint64) {
	c.first = m * c.N
	c.touch(func() {
		_ = c.draw(context.Background(), seed) // never cancelled
		clear(c.U)
	})
	clear(c.Visited)
}

// draw fills the positions from N(0, I). It stops early, with ctx's error, when ctx ends.
func (c *Cloud) draw(ctx context.Context, seed uint64) error {
	const pause = 1 << 12 // rows between two checks of ctx
	key := kernel.Key{Seed: seed, Stream: StreamCloud}
	for i := range c.M * c.N {
		if i%pause == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		kernel.Normal(c.Z[i*c.D:(i+1)*c.D], key, uint64(c.first+i)*kernel.Groups(c.D))
	}
	return nil
}

// Stats are statistics of a cloud: the mean of z^2 over all coordinates, and the smallest and
// largest standard deviation of a latent dimension.
type Stats struct{ MeanSquare, StdMin, StdMax float64 }

// Stats computes the statistics of the cloud in float64.
func (c *Cloud) Stats() Stats {
	sums := make([]float64, 2*c.D)
	c.Moments(sums, c.First, c.First+c.M)
	return StatsOf(sums, c.M*c.N)
}

// StatsOf computes the statistics of n particles from their Moments.
func StatsOf(moments []float64, n int) Stats {
	d := len(moments) / 2
	sum, sq := moments[:d], moments[d:]
	s := Stats{StdMin: math.Inf(1)}
	for j := range sum {
		mean := sum[j] / float64(n)
		std := math.Sqrt(max(0, sq[j]/float64(n)-mean*mean))
		s.StdMin, s.StdMax = min(s.StdMin, std), max(s.StdMax, std)
		s.MeanSquare += sq[j] / float64(n) / float64(d)
	}
	return s
}

// Moments adds to sums, over the particles of datapoints first to last, each coordinate, and then
// the square of each: 2 D numbers.
func (c *Cloud) Moments(sums []float64, first, last int) {
	sum, sq := sums[:c.D], sums[c.D:]
	c.touch(func() {
		for z := c.Z[(first-c.First)*c.N*c.D : (last-c.First)*c.N*c.D]; len(z) > 0; z = z[c.D:] {
			for j, v := range z[:c.D] {
				sum[j] += float64(v)
				sq[j] += float64(v) * float64(v)
			}
		}
	})
}

// guardMeanSquare is the mean of z^2 above which a particle counts as blown up. It is far outside
// the range of a prior near unit scale, and still far from overflow.
const guardMeanSquare = 1e6

// Batch holds the particles of a minibatch in contiguous rows. Several goroutines may gather and
// move disjoint ranges of rows at once.
type Batch struct {
	*Cloud
	IDs    []uint64  // addresses of the rows in the noise streams
	Z, U   []float32 // rows x D positions and velocities
	G, P   []float32 // rows x D drifts of decoder and prior, filled by the caller
	H      []float32 // step size of each row
	Square []float32 // |z|^2 of each row after its last move

	exact *kernel.Transition // nil: discretised moves
}

// NewBatch returns a batch with capacity for the given number of rows.
func (c *Cloud) NewBatch(a *memory.Arena, rows int) *Batch {
	mat := func() []float32 { return a.Floats(memory.Particles, rows, c.D) }
	row := func() []float32 { return a.Floats(memory.Particles, rows) }
	b := &Batch{
		Cloud: c, IDs: a.Uint64s(memory.Particles, rows)[:0],
		Z: mat(), G: mat(), P: mat(), H: row(), Square: row(),
	}
	if c.U != nil {
		b.U = mat()
	}
	return b
}

// Select sets the rows of the batch to the N particles of each datapoint in idx.
func (b *Batch) Select(idx []int) {
	b.IDs = b.IDs[:0]
	for _, m := range idx {
		for n := range b.N {
			b.IDs = append(b.IDs, uint64(b.first+(m-b.First)*b.N+n))
		}
	}
}

// SetSteps sets the step size of each row to h times the number of minibatches since the last visit
// of its datapoint, at most catchUp. With catchUp = 0, or before the first visit, it is h.
// minibatch counts from 0.
func (b *Batch) SetSteps(h float64, catchUp int, minibatch uint32) {
	for i, id := range b.IDs {
		factor := 1
		if last := b.Visited[b.row(id)/b.N]; catchUp > 0 && last > 0 {
			factor = max(1, min(catchUp, int(minibatch+1-last)))
		}
		b.H[i] = float32(h * float64(factor))
	}
}

// MarkVisited records the minibatch as the last visit of the datapoints in the batch.
func (b *Batch) MarkVisited(minibatch uint32) {
	for _, id := range b.IDs {
		b.Visited[b.row(id)/b.N] = minibatch + 1
	}
}

// row is the row of the cloud with the given address.
func (c *Cloud) row(id uint64) int { return int(id) - c.first }

// Rows returns rows lo to hi-1 of an array of the batch.
func (b *Batch) Rows(x []float32, lo, hi int) []float32 { return x[lo*b.D : hi*b.D] }

// Gather copies rows lo to hi-1 of the batch from the cloud.
func (b *Batch) Gather(lo, hi int) {
	b.touch(func() {
		b.prefetch(lo, hi)
		b.gather(lo, hi)
	})
}

func (b *Batch) gather(lo, hi int) {
	for i, id := range b.IDs[lo:hi] {
		row := b.row(id)
		copy(b.Rows(b.Z, lo+i, lo+i+1), b.Rows(b.Cloud.Z, row, row+1))
		if b.U != nil {
			copy(b.Rows(b.U, lo+i, lo+i+1), b.Rows(b.Cloud.U, row, row+1))
		}
	}
}

// Restart draws rows lo to hi-1 of the batch anew from N(0, I), with zero velocities. The next Move
// updates the cloud.
func (b *Batch) Restart(lo, hi int, key kernel.Key) {
	kernel.NormalRows(b.Rows(b.Z, lo, hi), b.IDs[lo:hi], b.D, key)
	if b.U != nil {
		clear(b.Rows(b.U, lo, hi))
	}
}

// Langevin holds the parameters of a move.
type Langevin struct {
	Friction float32    // fraction of the velocity lost per move; ignored with UseExact
	Clip     float32    // largest root mean square of h*drift over a row; 0: no limit
	Anchor   float32    // coefficient of z in the drift (ALGORITHM.md, scale_anchor)
	Key      kernel.Key // of the noise
}

// Move moves rows lo to hi-1 by one Langevin step against the drift G + P + Anchor z, in the batch
// and in the cloud. A row that blew up is drawn anew from N(0, I), with zero velocity. Move returns
// the numbers of rows that were clipped and redrawn.
func (b *Batch) Move(lo, hi int, l Langevin) (clipped, redrawn int) {
	m := kernel.Move{
		Z: b.Rows(b.Z, lo, hi), G: b.Rows(b.G, lo, hi), P: b.Rows(b.P, lo, hi), H: b.H[lo:hi],
		Anchor: l.Anchor, Clip: l.Clip, Friction: l.Friction, IDs: b.IDs[lo:hi], D: b.D, Key: l.Key,
	}
	if b.U != nil {
		m.U = b.Rows(b.U, lo, hi)
	}
	switch {
	case b.exact != nil:
		clipped = kernel.Exact(&m, *b.exact)
	case b.U == nil:
		clipped = kernel.Overdamped(&m)
	default:
		clipped = kernel.Underdamped(&m)
	}
	redrawn = b.guard(lo, hi, l.Key)
	b.touch(func() { b.scatter(lo, hi) })
	return clipped, redrawn
}

// Redraw draws those of rows lo to hi-1 anew from N(0, I), with zero velocities, whose positions
// are not finite or far out of range. It returns their number. The next Move updates the cloud.
func (b *Batch) Redraw(lo, hi int, key kernel.Key) (redrawn int) { return b.guard(lo, hi, key) }

func (b *Batch) guard(lo, hi int, key kernel.Key) (redrawn int) {
	key.Stream = StreamGuard
	square := b.Square[lo:hi]
	kernel.SquareNorms(square, b.Rows(b.Z, lo, hi), b.D)
	for i, s := range square {
		if s <= guardMeanSquare*float32(b.D) {
			continue
		}
		z := b.Rows(b.Z, lo+i, lo+i+1)
		kernel.Normal(z, key, b.IDs[lo+i]*kernel.Groups(b.D))
		kernel.SquareNorms(square[i:i+1], z, b.D)
		if b.U != nil {
			clear(b.Rows(b.U, lo+i, lo+i+1))
		}
		redrawn++
	}
	return redrawn
}

func (b *Batch) scatter(lo, hi int) {
	for i, id := range b.IDs[lo:hi] {
		row := b.row(id)
		copy(b.Rows(b.Cloud.Z, row, row+1), b.Rows(b.Z, lo+i, lo+i+1))
		if b.U != nil {
			copy(b.Rows(b.Cloud.U, row, row+1), b.Rows(b.U, lo+i, lo+i+1))
		}
	}
}

// Streams of the noise that this package draws, or its caller by its keys (trainer/ALGORITHM.md,
// section 9).
const (
	StreamCloud    kernel.Stream = 2  // initial positions of the particles
	StreamMove     kernel.Stream = 3  // Langevin noise
	StreamGuard    kernel.Stream = 10 // particles redrawn after a blow-up
	StreamCold     kernel.Stream = 15 // particles restarted at every visit
	streamPosition kernel.Stream = 16 // noise of the exact transition that is the position's alone
)
