package method

import (
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// What the methods' steps share, whatever their latents come from.

// tilesOf is the number of tiles of a batch. All rows of a datapoint share a tile, so that its
// image is gathered by one task. Where the cut does not show in the bits, many workers get more tiles, two of each
// network for each worker, down to finestTile rows.
func (s *Setup) tilesOf(rows int) int {
	points := rows / s.Particles
	tiles := pool.Pieces(points, max(1, s.Tile/s.Particles))
	if blas.CutFree() {
		finest := points / pool.Pieces(finestTile, s.Particles) // tiles of at least as many rows
		tiles = max(tiles, min(2*s.Pool.Workers(), finest))
	}
	return tiles
}

// finestTile is as many rows as the tallest tile of package kernel: thinner ones would starve the products.
const finestTile = 14

func (s *Setup) learningRate(done float64) float64 {
	return s.slowed(progress(s.LRSchedule, s.LR, s.LR*s.LREnd, done))
}

// Slow implements Method.
func (s *Setup) Slow(factor float64) { s.slow = factor }

func (s *Setup) slowed(rate float64) float64 {
	if s.slow == 0 {
		return rate
	}
	return rate * s.slow
}

// dataGradient takes rows lo to hi of a batch, whose latents are z, through the decoder and back: it writes their squared
// pixel errors into square, which like the images x is that of the whole batch, and the gradient of -log p(x|z) by z into g.
func (s *Setup) dataGradient(t model.Tape, lo, hi int, z, x, square, g []float32) {
	phase.DecoderForward.Enter()
	copy(t.In(lo, hi), z)
	t.Forward(lo, hi)
	phase.DecoderBackward.Enter()
	out := t.Out(lo, hi)
	kernel.DataResidual(out, square[lo:hi], out, x, lo, s.Particles, s.Decoder.Out(), float32(1/(s.ObsNoise*s.ObsNoise)))
	t.Backward(lo, hi, g)
}

// dataLoss sets the stats that follow from the rows' squared pixel errors.
func (s *Setup) dataLoss(stats *Stats, square []float32) {
	variance := s.ObsNoise * s.ObsNoise
	stats.Rows = float64(len(square))
	stats.SquareError = sum(square)
	stats.DataLoss = stats.SquareError/(2*variance) + stats.Rows*float64(s.Decoder.Out())/2*math.Log(2*math.Pi*variance)
}

func sum(x []float32) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}
