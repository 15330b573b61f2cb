package pool

// Tiles cuts the rows of a batch into tiles of whole points, each of which has the same number of
// rows: particles of a datapoint, for example.
type Tiles struct {
	Count        int // tiles
	points, each int
	first        int // number of the first point
}

// finestTile is the number of rows of the tallest tile of package kernel's products, among all of
// its paths (TestTileRows in asm): fewer rows would slow products down. It does not depend on the
// path in use, so that the cut does not either.
const finestTile = 14

// Tiles cuts points*each rows into tiles of about size rows. If the cut does not show in the
// results (free), many workers get more tiles, two for each worker, of finestTile rows or more.
func (p *Pool) Tiles(points, each, size int, free bool) Tiles {
	count := Pieces(points, max(1, size/each))
	if free {
		finest := points / Pieces(finestTile, each)
		count = max(count, min(2*p.workers, finest))
	}
	return Tiles{Count: count, points: points, each: each}
}

// From is the tiles of points that are numbered from first on.
func (t Tiles) From(first int) Tiles {
	t.first = first
	return t
}

// Points is the points of tile i: first inclusive, last exclusive.
func (t Tiles) Points(i int) (first, last int) {
	first, last = Span(t.points, t.Count, i)
	return t.first + first, t.first + last
}

// Rows is the rows of tile i: lo inclusive, hi exclusive.
func (t Tiles) Rows(i int) (lo, hi int) {
	first, last := t.Points(i)
	return first * t.each, last * t.each
}
