package blas

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// use makes a backend the default until the end of the test.
func use(t testing.TB, name string) {
	t.Helper()
	before := current.Load()
	t.Cleanup(func() { current.Store(before) })
	if err := Use(name); err != nil {
		t.Fatal(err)
	}
}

// eachBackend runs a test on every backend of this build.
func eachBackend(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, name := range Available() {
		t.Run(name, func(t *testing.T) {
			use(t, name)
			test(t)
		})
	}
}

// eachProducts runs a test on every backend of this build, and on native products in every
// precision as they are in use. Plain Go and emulators are spared, which have eachLayout and would
// take minutes.
func eachProducts(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	eachBackend(t, test)
	if kernel.Tiles() != kernel.PortableTiles && !testing.Short() {
		inUse, _ := roundings()
		eachOf(t, inUse, test)
	}
}

// eachLayout runs a test on every backend of this build, and on native products in every precision
// and layout, also those of other processors.
func eachLayout(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	eachBackend(t, test)
	inUse, others := roundings()
	eachOf(t, inUse, test)
	if !testing.Short() {
		eachOf(t, others, test)
	}
}

// eachUsed runs a test on native products in every precision as they are in use; emulators are
// spared all but float32.
func eachUsed(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	eachOf(t, map[string]*Backend{"float32": &nativeBackend}, test)
	if inUse, _ := roundings(); !testing.Short() {
		eachOf(t, inUse, test)
	}
}

// eachNative runs a test on native products in every precision and layout; in emulators, as they
// are in use.
func eachNative(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	inUse, others := roundings()
	eachOf(t, map[string]*Backend{"float32": &nativeBackend}, test)
	eachOf(t, inUse, test)
	if !testing.Short() {
		eachOf(t, others, test)
	}
}

func eachOf(t *testing.T, all map[string]*Backend, test func(t *testing.T)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			use(t, "native")
			current.Store(&choice{backend: all[name]})
			test(t)
		})
	}
}

// roundings are native products in all precisions but float32: as they are in use, and in the
// layouts that are not, in halves by their definition in plain Go.
func roundings() (inUse, others map[string]*Backend) {
	inUse, others = map[string]*Backend{}, map[string]*Backend{}
	for _, p := range []struct {
		order
		defined *kernel.Halves
	}{
		{groups, kernel.DefinedBF16()}, {splitGroups, kernel.DefinedBF16()},
		{pairs, kernel.DefinedPairs()},
	} {
		name := string(p.precision)
		inUse[name] = natives[p.precision]
		if natives[p.precision].order.halves {
			others[name+" in float32"] = native(&p.order)
		} else {
			others[name+" in halves"] = native(inHalves(p.order, p.defined, blockMTiles))
		}
	}
	return inUse, others
}

// usePrecision makes the native backend in a precision the default until the end of the test.
func usePrecision(t testing.TB, p Precision) {
	t.Helper()
	use(t, "native")
	b, err := Default().In(p)
	if err != nil {
		t.Fatal(err)
	}
	current.Store(&choice{backend: b})
}

var flags = []Trans{N, T}

// eachTrans calls f for all four pairs of flags.
func eachTrans(f func(ta, tb Trans)) {
	for _, ta := range flags {
		for _, tb := range flags {
			f(ta, tb)
		}
	}
}

// source draws sizes, and normals of the noise stream.
type source struct {
	*rand.Rand
	step uint32
}

func newSource(seed uint64) *source { return &source{Rand: rand.New(rand.NewPCG(seed, 5))} }

func (s *source) fill(n int) []float32 {
	s.step++
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: 1, Step: s.step, Stream: 1 << 16}, 0)
	return x
}

// canary is a NaN that no product may use or change.
var canary = math.Float32frombits(0x7fedcba9)

func blanks(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = canary
	}
	return x
}

// span is how many numbers a matrix takes.
func span(rows, cols, stride int) int { return min(rows, cols, 1) * ((rows-1)*stride + cols) }

// matrix is rows x cols normals with canaries between the rows.
func (s *source) matrix(rows, cols, stride int) Matrix {
	m := Matrix{Rows: rows, Cols: cols, Stride: stride, Data: blanks(span(rows, cols, stride))}
	x := s.fill(rows * cols)
	for i := range rows {
		copy(row(m, i), x[i*cols:])
	}
	return m
}

// spread is a matrix with a few canaries between the rows, or none.
func (s *source) spread(rows, cols int) Matrix {
	return s.matrix(rows, cols, max(1, cols)+s.IntN(2)*s.IntN(20))
}

func row(m Matrix, i int) []float32 {
	if m.Cols == 0 {
		return nil
	}
	return m.Data[i*m.Stride:][:m.Cols]
}

// numbers are numbers at equal distances.
type numbers struct {
	data  []float32
	apart int
}

func (x numbers) at(l int) float32 { return x.data[l*x.apart] }

// line is row i of op(m).
func line(m Matrix, t Trans, i int) numbers {
	if t {
		return numbers{m.Data[min(i, len(m.Data)):], m.Stride}
	}
	return numbers{m.Data[min(i*m.Stride, len(m.Data)):], 1}
}

// place is where element (i, j) of op(m) is.
func place(m Matrix, t Trans, i, j int) *float32 {
	if t {
		i, j = j, i
	}
	return &m.Data[i*m.Stride+j]
}

func at(m Matrix, t Trans, i, j int) float32 { return *place(m, t, i, j) }

// dims returns the shape of op(m) for the shape of m, or the shape of m for that of op(m).
func dims(rows, cols int, t Trans) (int, int) {
	if t {
		return cols, rows
	}
	return rows, cols
}

// sub is rows top to bottom, columns left to right of op(m).
func sub(m Matrix, t Trans, top, bottom, left, right int) Matrix {
	if t {
		top, bottom, left, right = left, right, top, bottom
	}
	m = m.Slice(left, right)
	m.Rows, m.Data = bottom-top, m.Data[min(top*m.Stride, len(m.Data)):]
	return m
}

func copyOf(m Matrix) Matrix {
	m.Data = append([]float32(nil), m.Data...)
	return m
}

// blank fills m with canaries.
func blank(m Matrix) {
	for i := range m.Rows {
		copy(row(m, i), blanks(m.Cols))
	}
}

func isNaN(x float32) bool { return x != x }

// sameBits compares numbers; the bits of a NaN are free.
func sameBits(t *testing.T, what any, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && !(isNaN(g) && isNaN(w)) {
			t.Fatalf("%v: number %d of %d is %v, want %v", what, i, len(want), g, w)
		}
	}
}

// samePadding fails if something was written between the rows of a matrix.
func samePadding(t *testing.T, what any, got, before Matrix) {
	t.Helper()
	for i, v := range got.Data {
		if i%got.Stride >= got.Cols && math.Float32bits(v) != math.Float32bits(before.Data[i]) {
			t.Fatalf(
				"%v: wrote %v behind row %d, %d numbers from its start", what, v, i/got.Stride,
				i%got.Stride,
			)
		}
	}
}
