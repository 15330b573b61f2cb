package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// numbered is a data set of m images of two pixels, 2i and 2i+1, with label i. It stands for an
// implementation of Dataset in another package.
type numbered int

func (n numbered) Name() string    { return "numbered" }
func (n numbered) Len() int        { return int(n) }
func (n numbered) Shape() Shape    { return Shape{1, 2, 1} }
func (n numbered) Label(i int) int { return i }

func (n numbered) Origin(i int) Origin { return Origin{Row: i} }
func (n numbered) Gather(dst []float32, idx []int) {
	for i, j := range idx {
		dst[2*i], dst[2*i+1] = float32(2*j), float32(2*j+1)
	}
}

func labels(ds Dataset) []int {
	out := make([]int, ds.Len())
	for i := range out {
		out[i] = ds.Label(i)
	}
	return out
}

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		m       int
		holdout float64
		held    int
	}{{10000, 0.1, 1000}, {1797, 0.1, 180}, {10, 0.25, 3}, {10, 0.05, 1}, {3, 0.3,
		1}, {10, 0.8, 8}} {
		train, held, err := Split(numbered(tc.m), tc.holdout, 1)
		if err != nil {
			t.Fatal(err)
		}
		if held.Len() != tc.held || train.Len() != tc.m-tc.held {
			t.Errorf("%d by %v: %d and %d images; expected %d held out", tc.m, tc.holdout,
				train.Len(), held.Len(), tc.held)
		}
		all := append(labels(train), labels(held)...)
		slices.Sort(all)
		if !slices.Equal(all, Range(0, tc.m)) {
			t.Errorf("%d by %v: not every image on exactly one side", tc.m, tc.holdout)
		}
		for _, side := range []Dataset{train, held} {
			pixels := gather(side)
			for i, l := range labels(side) {
				if pixels[2*i] != float32(2*l) || pixels[2*i+1] != float32(2*l+1) {
					t.Fatalf("image %d has the pixels of another", l)
				}
			}
			if side.Name() != "numbered" || side.Shape() != (Shape{1, 2, 1}) {
				t.Errorf("%s of %v", side.Name(), side.Shape())
			}
		}
	}
}

func TestSplitSeed(t *testing.T) {
	side := func(seed uint64) []int {
		_, held, err := Split(numbered(1000), 0.1, seed)
		if err != nil {
			t.Fatal(err)
		}
		return labels(held)
	}
	if !slices.Equal(side(5), side(5)) {
		t.Error("one seed gives two splits")
	}
	if slices.Equal(side(5), side(6)) {
		t.Error("two seeds give the same split")
	}
	// A split that takes one end would be biased in ordered data. The mean of 100 numbers of 0..999
	// has the standard deviation 27.4; the bounds are five of these around 499.5.
	sum := 0
	for _, i := range side(5) {
		sum += i
	}
	if mean := float64(sum) / 100; math.Abs(mean-499.5) > 5*27.4 {
		t.Errorf("held-out images lie around %v of 0..999", mean)
	}
}

// Checkpoints hold particles of the training images only, so the split of a seed must never change.
func TestSplitPinned(t *testing.T) {
	_, held, err := Split(numbered(20), 0.25, 1)
	if err != nil {
		t.Fatal(err)
	}
	order := make([]int, 20)
	kernel.Perm(order, kernel.Key{Seed: 1, Stream: StreamSplit})
	slices.Sort(order[:5])
	if got := labels(held); !slices.Equal(got, order[:5]) {
		t.Errorf("held out %v; expected the first five of the permutation, %v", got, order[:5])
	}
}

func TestSplitNothing(t *testing.T) {
	train, held, err := Split(numbered(5), 0, 1)
	if err != nil || train.Len() != 5 || held.Len() != 0 || held.Shape() != train.Shape() {
		t.Fatalf("%v, %v: %v", train, held, err)
	}
	held.Gather(nil, nil)
}

func TestSplitErrors(t *testing.T) {
	for _, tc := range []struct {
		m       int
		holdout float64
		want    string
	}{
		{10, -0.1, "[0, 1)"}, {10, 1, "[0, 1)"}, {10, math.NaN(), "[0, 1)"},
		{10, math.Inf(1), "[0, 1)"},
		{10, 0.01, "is none"}, {10, 0.95, "leaves 0"}, {3, 0.5, "leaves 1"}, {1, 0, "leaves 1"},
	} {
		_, _, err := Split(numbered(tc.m), tc.holdout, 1)
		wantError(t, err, tc.want)
	}
}

// Views of views gather the right images, in any order, from bytes and from floats.
func TestSubsetGather(t *testing.T) {
	for _, name := range Embedded() {
		ds := mustOpen(t, name, Options{})
		train, _, err := Split(ds, 0.3, 1)
		if err != nil {
			t.Fatal(err)
		}
		view, _, err := Split(train, 0.3, 2)
		if err != nil {
			t.Fatal(err)
		}
		d, idx := ds.Shape().Dim(), []int{5, 0, view.Len() - 1, 5}
		got, want := make([]float32, len(idx)*d), make([]float32, len(idx)*d)
		origin := make([]int, len(idx))
		for i, j := range idx {
			origin[i] = train.(*subset).index[view.(*subset).index[j]]
		}
		view.Gather(got, idx)
		ds.Gather(want, origin)
		if !slices.Equal(got, want) {
			t.Errorf("%s: a view gathers other images", name)
		}
		wantPanic(t, "short dst", func() { view.Gather(got[1:], idx) })
		wantPanic(t, "short dst", func() { ds.Gather(got[1:], idx) })
	}
}

func TestGatherAllocations(t *testing.T) {
	for _, name := range Embedded() {
		ds := mustOpen(t, name, Options{})
		train, _, err := Split(ds, 0.1, 1)
		if err != nil {
			t.Fatal(err)
		}
		idx := NewBatches(train.Len(), 500, 1).At(0, 0)
		dst := make([]float32, len(idx)*ds.Shape().Dim())
		for _, view := range []Dataset{ds, train} {
			if n := testing.AllocsPerRun(10, func() { view.Gather(dst, idx) }); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	}
}

func TestFingerprint(t *testing.T) {
	base := func() *array { return &array{shape: Shape{2, 3, 1}, m: 2, u8: ramp(12)} }
	same, label, pixel, shape, number := base(), base(), base(), base(), base()
	same.name = "other"
	label.labels = []int32{1, 2}
	pixel.u8[11]++
	shape.shape = Shape{3, 2, 1}
	number.m, number.shape = 3, Shape{2, 2, 1}
	want := fingerprint(t, base())
	for name, a := range map[string]*array{"name": same, "labels": label} {
		if fingerprint(t, a) != want {
			t.Errorf("the %s changes the fingerprint", name)
		}
	}
	for name, a := range map[string]*array{"pixel": pixel, "shape": shape, "number": number} {
		if fingerprint(t, a) == want {
			t.Errorf("another %s leaves the fingerprint", name)
		}
	}
	if v := (&subset{base(), []int{0, 1}}); fingerprint(t, v) != want {
		t.Error("a view of all images has another fingerprint")
	}
	if v := (&subset{base(), []int{1, 0}}); fingerprint(t, v) == want {
		t.Error("the order of the images leaves the fingerprint")
	}
	floats := &array{shape: Shape{1, 2, 1}, m: 2, f32: []float32{0, 1, 2, 3}}
	if fingerprint(t, floats) != fingerprint(t, numbered(2)) {
		t.Error("a foreign data set has another fingerprint than the same pixels")
	}
}

// A fingerprint is a hash of the size and of the hashes of each 4,096 images.
func TestFingerprintOfBlocks(t *testing.T) {
	const m, d = 2*4096 + 5, 3
	a := &array{shape: Shape{1, d, 1}, m: m, u8: ramp(m * d)}
	all := make([]byte, 32)
	for i, n := range []uint16{m, 1, d, 1} {
		binary.LittleEndian.PutUint16(all[8*i:], n)
	}
	for lo := 0; lo < m; lo += 4096 {
		block := sha256.Sum256(a.u8[lo*d : min(m, lo+4096)*d])
		all = append(all, block[:]...)
	}
	sum := sha256.Sum256(all)
	if got, want := fingerprint(t, a), hex.EncodeToString(sum[:16]); got != want {
		t.Errorf("fingerprint %s; expected %s", got, want)
	}
}

// A view gives the images that it names, with their labels and origins.
func TestSubset(t *testing.T) {
	ds := mustOpen(t, "digits", Options{})
	d := ds.Shape().Dim()
	for name, c := range map[string]struct{ index, idx, want []int }{
		"some":        {[]int{7, 3, 1000}, []int{2, 0, 2}, []int{1000, 7, 1000}},
		"consecutive": {Range(40, 60), []int{2, 0, 19}, []int{42, 40, 59}},
	} {
		view := Subset(ds, c.index)
		got, want := make([]float32, 3*d), make([]float32, 3*d)
		view.Gather(got, c.idx)
		ds.Gather(want, c.want)
		if !slices.Equal(got, want) || view.Len() != len(c.index) {
			t.Errorf("%s: %d images, and others", name, view.Len())
		}
		for i, k := range c.index {
			if view.Label(i) != ds.Label(k) || view.Origin(i) != ds.Origin(k) {
				t.Errorf("%s: label or origin of another image than %d", name, k)
			}
		}
	}
}

func BenchmarkGather(b *testing.B) {
	ds := mustOpen(b, "fashion10k", Options{})
	idx := NewBatches(ds.Len(), 500, 1).At(0, 0)
	dst := make([]float32, len(idx)*ds.Shape().Dim())
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		ds.Gather(dst, idx)
	}
}
