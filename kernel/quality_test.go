package kernel

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
)

var draws = flag.Int(
	"draws", 4_000_000,
	"normals that TestNormalQuality draws, up to 4e9; rounded up to whole units",
)

// TestNormalQuality holds the normals of the stream to the standard normal law. Numbers are drawn
// in units: the same rows of eight fills, one for each of two neighbouring seeds, steps and
// streams. Each statistic is divided by its standard error under the law; beyond 5 of them there
// is one chance in 1.7 million. Lines with other limits say which.
//
// A radius comes from one of 2^24 uniform numbers, so that no normal exceeds sqrt(48 ln 2) = 5.77
// and 2 % fewer than by the law lie beyond 5. Tail counts are compared with the probability under
// that discretisation; elsewhere it is far below the standard errors of 10^8 draws (at worst 5 % of
// one, in the sixth moment; a distribution function wrong by 2^-24 against 1.6e-4).
func TestNormalQuality(t *testing.T) {
	s := drawSample(*draws)
	n := float64(s.n)
	t.Logf("%d normals on path %s", s.n, Info().Path)
	t.Logf("%-36s %14s %14s %12s %8s", "statistic", "value", "expected", "std. error", "z")

	r := report{t}
	r.moments(&s.tally, n)
	r.tails(&s.tally, n)
	r.law(s.cell, n)
	r.places(&s.place)
	for lag := 1; lag <= maxLag; lag++ {
		r.pairs(fmt.Sprintf("%d apart", lag), s.lag[lag])
	}
	for k, d := range qualityWidths {
		r.pairs(fmt.Sprintf("next row of %d", d), s.row[k][0])
		r.pairs(fmt.Sprintf("next row but one of %d", d), s.row[k][1])
	}
	for k, name := range []string{"next seed", "next step", "next stream"} {
		r.pairs(name, s.axis[k])
	}

	r.repeats(s.digest)
}

const (
	maxLag  = 32
	cells   = 1 << 20 // of equal probability under the normal law
	unitLen = 1 << 13 // most numbers of one fill in a unit
	// lanes share the units out: a fixed number of them, so that sums have one order at any
	// number of threads.
	lanes = 8
)

// qualityWidths are the row widths, by turns: whole groups, and a last group of 18.
var qualityWidths = [2]int{64, 50}

// tally is what a part of the draws adds up to.
type tally struct {
	n     int
	power [7]float64    // sums of x^k
	tail  [6][2]float64 // numbers above k, and below -k
	place [GroupLen]struct{ n, x, x2 float64 }
	lag   [maxLag + 1]pairs // of the fill's numbers, some of them over the end of a row
	row   [2][2]pairs       // one and two rows apart, by width
	axis  [3]pairs
}

// pairs sums the products of pairs of normals, and of their squares less one: the latter show
// a shared radius even if the sign is lost.
type pairs struct{ n, xy, squares float64 }

// sample is the tally of all draws.
type sample struct {
	tally
	cell   []uint32
	digest []uint64 // of the first 8 numbers of every group
}

func drawSample(n int) *sample {
	const least = 8 * (unitLen - 49) // a unit of rows of 50 may fall short by 49 a fill
	units := (n + least - 1) / least
	var part [lanes]sample
	var wg sync.WaitGroup
	for l := range part {
		part[l].cell = make([]uint32, cells)
		wg.Go(func() {
			var fills [8]numbers
			for u := l; u < units; u += lanes {
				part[l].addUnit(u, &fills)
			}
		})
	}
	wg.Wait()
	sum := &part[0]
	for l := range part[1:] {
		sum.merge(&part[l+1])
	}
	return sum
}

// numbers are those of one fill, and their squares less one.
type numbers struct{ x, squares []float64 }

func (a numbers) slice(lo, hi int) numbers { return numbers{a.x[lo:hi], a.squares[lo:hi]} }

// addUnit: units differ in the high half of their row numbers or in high bits of their steps, so
// that a lost part of either repeats numbers. Units of another width have other steps, since rows
// of as many groups are the same numbers.
func (s *sample) addUnit(u int, fills *[8]numbers) {
	k, block, step := u%2, u/2%8, u/16<<20+u%2*2
	d := qualityWidths[k]
	ids := make([]uint64, unitLen/d)
	for i := range ids {
		ids[i] = uint64(block)<<32 + uint64(i)
	}
	x := make([]float32, len(ids)*d)
	for c := range fills {
		NormalRows(x, ids, d, Key{
			Seed:   20250518 + uint64(c&1),
			Step:   uint32(step + c>>1&1),
			Stream: testStream + Stream(c>>2),
		})
		s.digestGroups(x, d)
		fills[c] = s.addFill(x, d)
		s.addLags(fills[c], k)
	}
	for axis := range s.axis {
		for c := range fills {
			if c>>axis&1 == 0 {
				s.axis[axis].add(fills[c], fills[c|1<<axis])
			}
		}
	}
}

// digestGroups hashes the beginning of every group (FNV-1a, a number at a time).
func (s *sample) digestGroups(x []float32, d int) {
	for ; len(x) > 0; x = x[d:] {
		for g := 0; g < d; g += GroupLen {
			h := uint64(0xcbf29ce484222325)
			for _, v := range x[g : g+8] {
				h = (h ^ uint64(math.Float32bits(v))) * 0x100000001b3
			}
			s.digest = append(s.digest, h)
		}
	}
}

func (s *sample) addFill(x []float32, d int) numbers {
	s.n += len(x)
	a := numbers{make([]float64, len(x)), make([]float64, len(x))}
	for i, v := range x {
		v := float64(v)
		v2 := v * v
		v3 := v * v2
		a.x[i], a.squares[i] = v, v2-1
		for k, p := range [...]float64{1: v, v2, v3, v2 * v2, v2 * v3, v3 * v3} {
			s.power[k] += p
		}
		side := 0
		if v < 0 {
			side = 1
		}
		for k := 1; k < len(s.tail) && v2 > float64(k*k); k++ {
			s.tail[k][side]++
		}
		s.cell[min(cells-1, int(cells*math.Erfc(-v/math.Sqrt2)/2))]++
		p := &s.place[i%d%GroupLen]
		p.n++
		p.x += v
		p.x2 += v2
	}
	return a
}

func (s *sample) addLags(a numbers, k int) {
	n := len(a.x)
	for lag := 1; lag <= maxLag; lag++ {
		s.lag[lag].add(a.slice(0, n-lag), a.slice(lag, n))
	}
	for i := range s.row[k] {
		lag := (i + 1) * qualityWidths[k]
		s.row[k][i].add(a.slice(0, n-lag), a.slice(lag, n))
	}
}

func (p *pairs) add(a, b numbers) {
	p.n += float64(len(a.x))
	p.xy += scalarProduct(a.x, b.x)
	p.squares += scalarProduct(a.squares, b.squares)
}

// scalarProduct keeps four sums, for speed.
func scalarProduct(x, y []float64) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4 && len(y) >= 4; x, y = x[4:], y[4:] {
		a += x[0] * y[0]
		b += x[1] * y[1]
		c += x[2] * y[2]
		d += x[3] * y[3]
	}
	for i, v := range x {
		a += v * y[i]
	}
	return (a + b) + (c + d)
}

func (p *pairs) merge(q pairs) {
	p.n += q.n
	p.xy += q.xy
	p.squares += q.squares
}

func (s *sample) merge(o *sample) {
	s.n += o.n
	for k := range s.power {
		s.power[k] += o.power[k]
	}
	for k := range s.tail {
		s.tail[k][0] += o.tail[k][0]
		s.tail[k][1] += o.tail[k][1]
	}
	for i, p := range o.place {
		s.place[i].n += p.n
		s.place[i].x += p.x
		s.place[i].x2 += p.x2
	}
	for i := range s.lag {
		s.lag[i].merge(o.lag[i])
	}
	for k := range s.row {
		for i := range s.row[k] {
			s.row[k][i].merge(o.row[k][i])
		}
	}
	for i := range s.axis {
		s.axis[i].merge(o.axis[i])
	}
	for i, c := range o.cell {
		s.cell[i] += c
	}
	s.digest = append(s.digest, o.digest...)
}

// report prints the table, and fails the test at lines that are out of bounds.
type report struct{ *testing.T }

// line allows limit standard errors.
func (r report) line(name string, value, expected, stdErr, limit float64) {
	r.Helper()
	z := (value - expected) / stdErr
	r.Logf("%-36s %14.8g %14.8g %12.3g %8.2f", name, value, expected, stdErr, z)
	if beyond(z, limit) {
		r.Errorf(
			"%s is %v, want %v: %.2f standard errors, beyond %.3g", name, value, expected, z, limit,
		)
	}
}

func (r report) moments(s *tally, n float64) {
	var m [7]float64 // mean of x^k
	for k := range m {
		m[k] = s.power[k] / n
	}
	mean := m[1]
	variance := m[2] - mean*mean
	third := m[3] - 3*mean*m[2] + 2*mean*mean*mean
	fourth := m[4] - 4*mean*m[3] + 6*mean*mean*m[2] - 3*math.Pow(mean, 4)
	r.line("mean", mean, 0, math.Sqrt(1/n), 5)
	r.line("variance", variance, 1, math.Sqrt(2/n), 5)
	r.line("skewness", third/math.Pow(variance, 1.5), 0, math.Sqrt(6/n), 5)
	r.line("excess kurtosis", fourth/(variance*variance)-3, 0, math.Sqrt(24/n), 5)
	r.line("mean of x^6", m[6], 15, math.Sqrt((10395-225)/n), 5)
}

// tails has binomial errors. Of 4 million draws, one is expected beyond 5 on each side: only a long
// run can miss them, and a count more than 5 standard errors above is then a chance of 2e-4.
func (r report) tails(s *tally, n float64) {
	for k := 1; k < len(s.tail); k++ {
		above, below := s.tail[k][0], s.tail[k][1]
		p := beyondProbability(float64(k))
		q := p / 2
		r.line(fmt.Sprintf("numbers above %d", k), above, n*q, math.Sqrt(n*q*(1-q)), 5)
		r.line(fmt.Sprintf("numbers below -%d", k), below, n*q, math.Sqrt(n*q*(1-q)), 5)
		r.line(
			fmt.Sprintf("numbers beyond %d on both sides", k), above+below, n*p,
			math.Sqrt(n*p*(1-p)), 5,
		)
	}
}

// beyondProbability is the probability of |x| > limit for x = r cos(angle), the angle uniform and
// r one of the 2^24 values sqrt(-2 ln(k/2^24)): of a radius r > limit, the share of angles with
// |cos| > limit/r is 2/pi acos(limit/r).
func beyondProbability(limit float64) float64 {
	var sum float64
	for k := 1.0; k < 1<<24; k++ {
		r := math.Sqrt(-2 * math.Log(k/(1<<24)))
		if r <= limit {
			break
		}
		sum += math.Acos(limit / r)
	}
	return sum * 2 / math.Pi / (1 << 24)
}

// law compares the distribution function with the normal one, at the cells' bounds.
//
// Kolmogorov and Smirnov: between two bounds the functions differ by at most 1/cells more than
// there, which is added. sqrt(n) D has mean sqrt(pi/2) ln 2 and variance pi^2/12 - pi/2 ln^2 2; it
// exceeds 1.949 with probability 0.1 % (Smirnov, "Table for estimating the goodness of fit of
// empirical distributions", 1948).
//
// Anderson and Darling: the integral is a sum over the bounds. Its terms have mean 1/cells each and
// hardly change from one to the next, so that what it leaves out is of the order of 1/cells. A^2
// has mean 1 and variance 2/3 (pi^2 - 9) (Anderson and Darling, "A test of goodness of fit", 1954);
// it is a sum of chi-squares with weights 1/(j(j+1)), which exceeds 5.97 with probability 0.1 %.
//
// Chi-square: of 255 degrees of freedom, beyond 368 with probability 4e-6.
func (r report) law(cell []uint32, n float64) {
	var seen, d, a2, chi2, group float64
	for i, c := range cell {
		group += float64(c)
		if (i+1)%(cells/256) == 0 {
			chi2 += math.Pow(group-n/256, 2) / (n / 256)
			group = 0
		}
		seen += float64(c)
		u := float64(i+1) / cells
		diff := seen/n - u
		d = max(d, math.Abs(diff))
		if i+1 < cells {
			a2 += diff * diff / (u * (1 - u))
		}
	}
	mean := math.Sqrt(math.Pi/2) * math.Ln2
	sd := math.Sqrt(math.Pi*math.Pi/12 - math.Pi/2*math.Ln2*math.Ln2)
	r.line(
		"Kolmogorov-Smirnov, at most 1.949", math.Sqrt(n)*(d+1./cells), mean, sd, (1.949-mean)/sd,
	)
	sd = math.Sqrt(2 * (math.Pi*math.Pi - 9) / 3)
	r.line("Anderson-Darling, at most 5.97", n*a2/cells, 1, sd, (5.97-1)/sd)
	r.line(
		"chi-square of 256 cells, at most 368", chi2, 255, math.Sqrt(2*255),
		(368-255)/math.Sqrt(2*255),
	)
}

// places finds a fault of one lane. The statistics are chi-square with 32 degrees of freedom,
// beyond 84 with probability 2e-6.
func (r report) places(place *[GroupLen]struct{ n, x, x2 float64 }) {
	var means, variances float64
	for _, p := range place {
		means += p.x * p.x / p.n
		variances += math.Pow(p.x2-p.n, 2) / (2 * p.n)
	}
	r.line("means by place in group, at most 84", means, 32, 8, (84-32)/8.)
	r.line("squares by place in group, at most 84", variances, 32, 8, (84-32)/8.)
}

// pairs has products of variance 1 and 4, uncorrelated among themselves.
func (r report) pairs(name string, p pairs) {
	r.line("correlation, "+name, p.xy/p.n, 0, math.Sqrt(1/p.n), 5)
	r.line("of squares, "+name, p.squares/p.n/2, 0, math.Sqrt(1/p.n), 5)
}

// repeats counts groups with the same digest. One of 3.5 million groups would have the digest of
// another by chance once in three million runs: a single repeat fails.
func (r report) repeats(digest []uint64) {
	n := float64(len(digest))
	slices.Sort(digest)
	again := float64(len(digest) - len(slices.Compact(digest)))
	chance := n * n / 2 / (1 << 64)
	r.line("groups that begin like another", again, chance, math.Sqrt(chance), 5)
}
