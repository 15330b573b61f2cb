package method

import (
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// keptNumbers is the most numbers that a network keeps for the gradients by its parameters, unless
// a wave of given size needs more: 256 MiB.
const keptNumbers = 1 << 26

// share prepares the setup for its rank: the size of a minibatch becomes that of its part.
func (s *Setup) share() {
	s.ranks = &ranks{comm: s.comm(), clock: s.Clock}
	s.laneBatch = max(1, s.Batch/s.lanes())
	if first, last := s.part(); s.comm().Size() > 1 {
		lo, hi := s.own()
		s.Batch = min(s.laneBatch*(hi-lo), last-first)
	}
}

// cut makes tiles whole datapoints, whose rows share a tile so that one task gathers their image,
// and waves as small as memory wants them.
func (s *Setup) cut() {
	n := s.Options.Particles
	s.Tile = s.tile(s.Tile)
	if s.Wave == 0 {
		kept := max(s.Decoder.Kept(), s.Prior.Kept())
		if s.Encoder != nil {
			kept = max(kept, s.Encoder.Kept()/n)
		}
		s.Wave = keptNumbers / max(1, kept)
	}
	if rows := s.Batch * n; s.Wave >= rows {
		s.Wave = rows
	} else {
		s.Wave = min(max(s.Wave/s.Tile, 1)*s.Tile, rows)
	}
	if whole := s.whole() * n; whole > n {
		s.Wave = min((s.Wave+whole-1)/whole*whole, s.Batch*n)
	}
}

// tile is the rows of a tile for networks that want tiles of at most the given rows.
func (s *Setup) tile(rows ...int) int {
	n := s.Options.Particles
	return max(min(s.Tile, slices.Min(rows))/n, 1) * n
}

// size is that of the tapes for tiles of the given rows, and for each rows of each datapoint: 1, or
// the number of particles.
func (s *Setup) size(tile, each int) model.Size {
	n := s.Options.Particles
	return model.Size{
		Rows: s.Batch * each, Wave: s.Wave / n * each, Tile: tile / n * each, Passes: s.workers(),
	}
}

// tiles cuts the rows of a batch of datapoints into tiles of at most the given rows for some
// networks. The cut may follow the number of workers only if no network's bits depend on it.
func (s *Setup) tiles(points, tile int, networks ...model.Packer) pool.Tiles {
	free := true
	for _, n := range networks {
		free = free && n.CutFree()
	}
	return s.Pool.Tiles(points, s.Options.Particles, tile, free)
}

// tilesOf cuts the rows of a wave as tiles does.
func (s *Setup) tilesOf(w wave, tile int, networks ...model.Packer) pool.Tiles {
	if w.first == w.last { // a lane without datapoints
		return pool.Tiles{}
	}
	return s.tiles(w.last-w.first, tile, networks...).From(w.first)
}

// whole is the datapoints of which a wave has a multiple: with rounded factors, sums over rows may
// be interrupted after whole groups alone.
func (s *Setup) whole() int {
	if s.Products == nil || s.Products.Precision() == blas.Float32 {
		return 1
	}
	return blas.Group
}
