package metric

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// nearestByPairs sorts all rows by their distance.
func nearestByPairs(query, base *Features, k int, others bool) (out []neighbour) {
	for i := range query.N {
		var all []neighbour
		for j := range base.N {
			if !others || i != j {
				all = append(all, neighbour{j, squareDistance(query.Row(i), base.Row(j))})
			}
		}
		slices.SortStableFunc(all, func(a, b neighbour) int {
			return cmp.Compare(a.square, b.square)
		})
		out = append(out, all[:k]...)
	}
	return out
}

// awkward are sets with equal rows, within and between them, and with rows that differ in the last
// digit.
func awkward(n, m, k int) (a, b *Features) {
	a, b = standard(n, k, 1), standard(m, k, 2)
	for i := 0; i+7 < min(n, m); i += 7 {
		copy(b.Row(i), a.Row(i))
		copy(b.Row(i+3), a.Row(i))
		copy(a.Row(i+5), a.Row(i))
		b.Row(i + 4)[0] = math.Nextafter32(b.Row(i)[0], 9)
		copy(b.Row(i + 4)[1:], b.Row(i)[1:])
	}
	return a, b
}

func changed(f *Features, change func(v float32) float32) *Features {
	out := f.Take(data.Range(0, f.N))
	for i, v := range out.X {
		out.X[i] = change(v)
	}
	return out
}

// The neighbours are those of all pairs in float64, to the last bit, also where float32 cannot
// resolve distances: far from 0, near 0, and beyond its largest number.
func TestNeighboursAgainstPairs(t *testing.T) {
	p := pool.New(3)
	defer p.Close()
	changes := map[string]func(v float32) float32{
		"as they are": func(v float32) float32 { return v },
		"far from 0":  func(v float32) float32 { return v + 3000 },
		"tiny":        func(v float32) float32 { return v * 1e-30 },
		"huge":        func(v float32) float32 { return v * 1e25 },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct{ n, m, k int }{{150, tileCols + 40, 5}, {20, 9, 3},
				{3, 700, 1}} {
				a, b := awkward(c.n, c.m, 6)
				a, b = changed(a, change), changed(b, change)
				if got, want := must[[]neighbour](t)(nearestRows(t.Context(), newCloud(a),
					newCloud(b), c.k, false, p)), nearestByPairs(a, b, c.k,
					false); !slices.Equal(got, want) {
					t.Errorf("%+v: neighbours differ", c)
				}
				if got, want := must[[]neighbour](t)(nearestRows(t.Context(), newCloud(b),
					newCloud(b), c.k, true, p)), nearestByPairs(b, b, c.k, true); !slices.Equal(got,
					want) {
					t.Errorf("%+v: neighbours in one set differ", c)
				}
			}
		})
	}
}

// For usual rows float32 excludes nearly all of 700 base rows, so that few are compared in float64.
func TestShortlistIsShort(t *testing.T) {
	a, b := standard(tileRows, 64, 1), standard(700, 64, 2)
	lists := make([]*shortlist, tileRows)
	for i := range lists {
		lists[i] = newShortlist(3)
	}
	newCloud(a).shorten(t.Context(), newCloud(b), 0, false, lists,
		make([]float32, tileRows*tileCols))
	left := 0
	for _, l := range lists {
		l.prune()
		left += len(l.candidates)
	}
	if left < 3*tileRows || left > 4*tileRows {
		t.Errorf("%d candidates for %d rows with 3 neighbours", left, tileRows)
	}
}

// With a doubt of 0.25 and one neighbour, distances above the least by more than 0.5 are excluded.
func TestShortlistDoubt(t *testing.T) {
	s := newShortlist(1)
	s.reset(0.25)
	for row, square := range []float64{1.75, 1, 1.375, 1.625, 0.875} {
		s.add(row, square)
	}
	s.prune()
	var rows []int
	for _, c := range s.candidates {
		rows = append(rows, c.row)
	}
	if !slices.Equal(rows, []int{1, 2, 4}) {
		t.Errorf("rows %v are left", rows)
	}
}

func TestNearest(t *testing.T) {
	base := NewFeatures([]float32{0, 0, 1, 1, 1, 1, -2, 0}, 4, 2)
	got := must[*Neighbours](t)(Nearest(t.Context(), NewFeatures([]float32{1, 2, -2, 0, 0.25, 0}, 3,
		2), base, nil))
	if !slices.Equal(got.Index, []int{1, 3, 0}) { // the first of two equal rows
		t.Errorf("nearest rows %v", got.Index)
	}
	for i, want := range []float64{math.Sqrt(0.5), 0, math.Sqrt(0.0625 / 2)} {
		wantClose(t, "RMS", got.RMS[i], want, 1e-15)
	}
	if c := got.Closest(2); !slices.Equal(c, []int{1, 2}) {
		t.Errorf("closest %v, expected rows 1 and 2", c)
	}
	if c := got.Closest(9); !slices.Equal(c, []int{1, 2, 0}) {
		t.Errorf("closest %v, expected all", c)
	}
}

// overlapByPairs counts by the definitions.
func overlapByPairs(gen, real *Features, k int) (precision, recall, density, coverage float64) {
	radii := func(f *Features) (out []float64) {
		for i, n := range nearestByPairs(f, f, k, true) {
			if i%k == k-1 {
				out = append(out, n.square)
			}
		}
		return out
	}
	ofGen, ofReal := radii(gen), radii(real)
	for i := range gen.N {
		balls := 0.0
		for j := range real.N {
			if squareDistance(gen.Row(i), real.Row(j)) <= ofReal[j] {
				balls++
			}
		}
		density += balls / float64(k*gen.N)
		precision += min(1, balls) / float64(gen.N)
	}
	for j := range real.N {
		inGen, hasGen := 0.0, 0.0
		for i := range gen.N {
			d := squareDistance(gen.Row(i), real.Row(j))
			if d <= ofGen[i] {
				inGen = 1
			}
			if d <= ofReal[j] {
				hasGen = 1
			}
		}
		recall += inGen / float64(real.N)
		coverage += hasGen / float64(real.N)
	}
	return precision, recall, density, coverage
}

func wantOverlap(t *testing.T, o Overlap, precision, recall, density, coverage float64) {
	t.Helper()
	wantClose(t, "precision", o.Precision.Value, precision, 1e-12)
	wantClose(t, "recall", o.Recall.Value, recall, 1e-12)
	wantClose(t, "density", o.Density.Value, density, 1e-12)
	wantClose(t, "coverage", o.Coverage.Value, coverage, 1e-12)
}

// On a line with one neighbour: the balls of the real rows 0, 1, 3 have the radii 1, 1, 2, those of
// the generated rows 1.5, 2, 9 the radii 0.5, 0.5, 7.
func TestOverlapByHand(t *testing.T) {
	real, gen := NewFeatures([]float32{0, 1, 3}, 3, 1), NewFeatures([]float32{1.5, 2, 9}, 3, 1)
	o := must[Overlap](t)(PrecisionRecall(t.Context(), gen, real, 1, DefaultBootstrap(1), nil))
	// 1.5 lies in the balls of 1 and 3, 2 on the rim of 1's and in 3's, 9 in none. 1 lies on the
	// rim of 1.5's ball, 3 in 9's.
	wantOverlap(t, o, 2.0/3, 2.0/3, 4.0/3, 2.0/3)
	if o.Neighbours != 1 {
		t.Errorf("%d neighbours, expected 1", o.Neighbours)
	}
}

func TestOverlapAgainstPairs(t *testing.T) {
	p := pool.New(3)
	defer p.Close()
	for _, move := range []float32{0, 5000} {
		for k := 1; k <= 4; k++ {
			gen, real := awkward(tileRows+60, tileCols+30, 3)
			gen = changed(gen, func(v float32) float32 { return 1.5*v + 1 + move })
			real = changed(real, func(v float32) float32 { return v + move })
			precision, recall, density, coverage := overlapByPairs(gen, real, k)
			if precision > 0.95 || recall > 0.95 || coverage > 0.95 {
				t.Fatalf("the sets are too much alike (%v, %v, %v) to tell anything", precision,
					recall, coverage)
			}
			o := must[Overlap](t)(PrecisionRecall(t.Context(), gen, real, k, DefaultBootstrap(1),
				p))
			wantOverlap(t, o, precision, recall, density, coverage)
		}
	}
}

func TestOverlapOfExtremes(t *testing.T) {
	f := standard(50, 4, 1)
	same := must[Overlap](t)(PrecisionRecall(t.Context(), f, f, 3, DefaultBootstrap(1), nil))
	// a row lies in its own ball and, on average, in three others
	wantOverlap(t, same, 1, 1, 4.0/3, 1)
	far := changed(f, func(v float32) float32 { return v + 100 })
	apart := must[Overlap](t)(PrecisionRecall(t.Context(), far, f, 3, DefaultBootstrap(1), nil))
	wantOverlap(t, apart, 0, 0, 0, 0)
	// Wilson: z^2/(n + z^2) = 0.071
	if e := apart.Precision; e.Low != 0 || e.High < 0.05 || e.High > 0.1 {
		t.Errorf("none of 50 gives %+v", e)
	}
	// A model that makes one image: all of it is real, and most of reality is missing.
	one := NewFeatures(slices.Repeat(f.Row(0), 50), 50, 4)
	wantClose(t, "recall of one image",
		must[Overlap](t)(PrecisionRecall(t.Context(), one, f, 3, DefaultBootstrap(1),
			nil)).Recall.Value, 0.02, 1e-12)
}
