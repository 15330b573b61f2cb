package pool

// Tiles cuts the rows of a batch into tiles of whole points, each of which has the same number of
// rows: particles of a datapoint, for example.
type Tiles struct {
	Count        int // tiles
	points, each int
	unit         int // points that no cut separates; 0: one
	first        int // number of the first point
}

// finestTile is the number of rows of the tallest tile of package kernel's products, among all of
// its paths (TestTileRows in asm): fewer rows would slow products down. It does not depend on the
// path in use, so that the cut does not either.
const finestTile = 14

// Tiles cuts points*each rows into tiles of about size rows. If the cut does not show in the
// results (free), many workers get more tiles: two for each worker, of finestTile rows or more; and
// where there are only a few for each, each gets as many. Rows of which fewer than finestTile make
// a tile are large, such as pictures.
func (p *Pool) Tiles(points, each, size int, free bool) Tiles {
	count := Pieces(points, max(1, size/each))
	if free {
		finest := points
		if size >= finestTile {
			finest = points / Pieces(finestTile, each)
			count = max(count, min(2*p.workers, finest))
		}
		if even := Pieces(count, p.workers) * p.workers; count < few*p.workers && even <= finest {
			count = even
		}
	}
	return Tiles{Count: count, points: points, each: each}
}

// few is how many tiles for each worker are few: without an equal number for each, some would wait
// for others for a good part of the time that a phase takes.
const few = 4

// CutWhole cuts points*each rows into tiles of about size rows, each of which but the last has a
// multiple of unit points.
func CutWhole(points, each, size, unit int) Tiles {
	count := Pieces(Pieces(points, unit), max(1, size/each/unit))
	return Tiles{Count: count, points: points, each: each, unit: unit}
}

// From is the tiles of points that are numbered from first on.
func (t Tiles) From(first int) Tiles {
	t.first = first
	return t
}

// Points is the points of tile i: first inclusive, last exclusive.
func (t Tiles) Points(i int) (first, last int) {
	unit := max(1, t.unit)
	first, last = Span(Pieces(t.points, unit), t.Count, i)
	return t.first + first*unit, t.first + min(last*unit, t.points)
}

// Rows is the rows of tile i: lo inclusive, hi exclusive.
func (t Tiles) Rows(i int) (lo, hi int) {
	first, last := t.Points(i)
	return first * t.each, last * t.each
}
