package method

import (
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// keptNumbers is the most numbers that a network keeps for the gradients by its parameters, unless
// a wave of given size needs more: 256 MiB.
const keptNumbers = 1 << 26

// cut makes tiles and waves as small as the networks want them. The rows of a datapoint share a
// tile, so that one task gathers its image.
func (s *Setup) cut() {
	n, decoder := s.Options.Particles, s.Decoder
	s.Tile = min(s.Tile, decoder.TileRows(), s.Prior.TileRows())
	if s.Encoder != nil {
		s.Tile = min(s.Tile, n*s.Encoder.TileRows())
	}
	s.Tile = max(s.Tile/n, 1) * n
	if s.Wave == 0 {
		kept := max(decoder.Kept(), s.Prior.Kept())
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
}

// size is that of the tapes for rows rows of each datapoint: 1, or the number of particles.
func (s *Setup) size(rows int) model.Size {
	n := s.Options.Particles
	return model.Size{
		Rows: s.Batch * rows, Wave: s.Wave / n * rows, Tile: s.Tile / n * rows, Passes: s.workers(),
	}
}

// tiles cuts the rows of a batch of datapoints for some networks. The cut may follow the number of
// workers only if no network's bits depend on it.
func (s *Setup) tiles(points int, networks ...model.Packer) pool.Tiles {
	free := true
	for _, n := range networks {
		free = free && n.CutFree()
	}
	return s.Pool.Tiles(points, s.Options.Particles, s.Tile, free)
}

// waves cuts the rows of a batch of datapoints into waves.
func (s *Setup) waves(points int) pool.Tiles {
	return s.Pool.Tiles(points, s.Options.Particles, s.Wave, false)
}

// wave is number w of the waves, each point of which has rows rows.
func wave(waves pool.Tiles, w, rows int) layer.Wave {
	first, last := waves.Points(w)
	_, points := waves.Points(waves.Count - 1)
	return layer.Wave{
		Rows: (last - first) * rows, First: w == 0, Last: w == waves.Count-1,
		Scale: float32(1 / float64(points*rows)),
	}
}
