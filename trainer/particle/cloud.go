// Package particle is the clouds of latent particles and the Langevin moves that drive them.
// It takes the gradient as arrays that the caller fills between Gather and Move, and knows no
// networks.
package particle

import (
	"context"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// Cloud holds N particles of D numbers for each of M datapoints; particle n of datapoint m is
// row m*N+n, and that number is its address in the noise stream.
type Cloud struct {
	M, N, D int
	Z       []float32 // M*N x D positions
	U       []float32 // velocities; nil for overdamped dynamics
	Visited []uint32  // of each datapoint, 1 + the minibatch of its last visit; 0: never

	stored
}

// NewCloud draws a cloud from N(0, I), at rest.
func NewCloud(a *memory.Arena, m, n, d int, momentum bool, seed uint64) *Cloud {
	c := &Cloud{
		M: m, N: n, D: d,
		Z: a.Floats(memory.Particles, m, n, d), Visited: a.Uint32s(memory.Particles, m),
	}
	if momentum {
		c.U = a.Floats(memory.Particles, m, n, d)
	}
	a.Fill(func() { _ = c.draw(context.Background(), seed) }) // which never ends
	return c
}

// draw fills the positions from N(0, I). It stops early, with ctx's error, when ctx ends.
func (c *Cloud) draw(ctx context.Context, seed uint64) error {
	const pause = 1 << 12 // rows between two looks at ctx
	key := kernel.Key{Seed: seed, Stream: StreamCloud}
	for i := range c.M * c.N {
		if i%pause == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		kernel.Normal(c.Z[i*c.D:(i+1)*c.D], key, uint64(i)*kernel.Groups(c.D))
	}
	return nil
}

// Stats describes a cloud: the mean of z^2 over all coordinates, and the smallest and largest
// standard deviation of a latent dimension.
type Stats struct{ MeanSquare, StdMin, StdMax float64 }

// Stats computes the cloud's statistics in float64.
func (c *Cloud) Stats() Stats {
	sum, sq := make([]float64, c.D), make([]float64, c.D)
	c.touch(func() {
		for z := c.Z; len(z) > 0; z = z[c.D:] {
			for j, v := range z[:c.D] {
				sum[j] += float64(v)
				sq[j] += float64(v) * float64(v)
			}
		}
	})
	s := Stats{StdMin: math.Inf(1)}
	n := float64(c.M * c.N)
	for j := range sum {
		mean := sum[j] / n
		std := math.Sqrt(max(0, sq[j]/n-mean*mean))
		s.StdMin, s.StdMax = min(s.StdMin, std), max(s.StdMax, std)
		s.MeanSquare += sq[j] / n / float64(c.D)
	}
	return s
}

// guardMeanSquare is the mean z^2 beyond which, as with NaN, a particle counts as blown up: it
// is far outside anything a prior near unit scale can mean, and still far from overflow.
const guardMeanSquare = 1e6

// Batch is the particles of a minibatch, gathered so that rows lie together. Ranges of rows can
// be gathered and moved by different workers at once.
type Batch struct {
	*Cloud
	IDs    []uint64  // rows of the cloud
	Z, U   []float32 // their positions and velocities
	G, P   []float32 // the drift in two parts, for the caller to fill: decoder and prior
	H      []float32 // step size of each row
	Square []float32 // |z|^2 of each row after its last move

	exact *kernel.Transition // nil: the discrete moves
}

// NewBatch is a batch of up to the given number of rows of the cloud.
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

// Select makes the N particles of each datapoint of idx the rows of the batch.
func (b *Batch) Select(idx []int) {
	b.IDs = b.IDs[:0]
	for _, m := range idx {
		for n := range b.N {
			b.IDs = append(b.IDs, uint64(m*b.N+n))
		}
	}
}

// SetSteps gives each row the step size h, times the number of minibatches since its
// datapoint's last visit, at most catchUp of them (0: always h). minibatch counts from 0.
func (b *Batch) SetSteps(h float64, catchUp int, minibatch uint32) {
	for i, id := range b.IDs {
		factor := 1
		if last := b.Visited[id/uint64(b.N)]; catchUp > 0 && last > 0 {
			factor = max(1, min(catchUp, int(minibatch+1-last)))
		}
		b.H[i] = float32(h * float64(factor))
	}
}

// MarkVisited notes the minibatch as the last visit of the rows' datapoints.
func (b *Batch) MarkVisited(minibatch uint32) {
	for _, id := range b.IDs {
		b.Visited[id/uint64(b.N)] = minibatch + 1
	}
}

// Rows is rows lo to hi of an array of the batch.
func (b *Batch) Rows(x []float32, lo, hi int) []float32 { return x[lo*b.D : hi*b.D] }

// Gather copies rows lo to hi from the cloud.
func (b *Batch) Gather(lo, hi int) {
	b.touch(func() {
		b.prefetch(lo, hi)
		b.gather(lo, hi)
	})
}

func (b *Batch) gather(lo, hi int) {
	for i, id := range b.IDs[lo:hi] {
		copy(b.Rows(b.Z, lo+i, lo+i+1), b.Rows(b.Cloud.Z, int(id), int(id)+1))
		if b.U != nil {
			copy(b.Rows(b.U, lo+i, lo+i+1), b.Rows(b.Cloud.U, int(id), int(id)+1))
		}
	}
}

// Restart draws rows lo to hi of the batch anew from N(0, I), at rest. The cloud has them after
// the next Move.
func (b *Batch) Restart(lo, hi int, key kernel.Key) {
	kernel.NormalRows(b.Rows(b.Z, lo, hi), b.IDs[lo:hi], b.D, key)
	if b.U != nil {
		clear(b.Rows(b.U, lo, hi))
	}
}

// Langevin says how a batch moves.
type Langevin struct {
	// share of the velocity lost per move (clouds with velocities, but not with UseExact)
	Friction float32
	Clip     float32 // largest root mean square of h*drift over a row; 0: no limit
	Anchor   float32 // coefficient of z in the drift (ALGORITHM.md, scale_anchor)
	Key      kernel.Key
}

// Move moves rows lo to hi by one Langevin step against the drift G + P + Anchor z, in place and
// in the cloud. A row that blew up is drawn anew from N(0, I), at rest. It returns how many
// rows were clipped and how many re-drawn.
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

// Redraw draws the rows from lo to hi whose positions are not finite, or far out of range, anew
// from N(0, I), at rest, and returns how many these were. The cloud has them after the next Move.
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
		copy(b.Rows(b.Cloud.Z, int(id), int(id)+1), b.Rows(b.Z, lo+i, lo+i+1))
		if b.U != nil {
			copy(b.Rows(b.Cloud.U, int(id), int(id)+1), b.Rows(b.U, lo+i, lo+i+1))
		}
	}
}

// Streams of the noise that this package draws, or its caller by its keys (trainer/ALGORITHM.md, section 9).
const (
	StreamCloud    kernel.Stream = 2  // first positions of the particles
	StreamMove     kernel.Stream = 3  // Langevin noise
	StreamGuard    kernel.Stream = 10 // particles drawn anew after a blow-up
	StreamCold     kernel.Stream = 15 // particles that start anew at every visit
	streamPosition kernel.Stream = 16 // noise of the exact transition that is the position's alone
)
