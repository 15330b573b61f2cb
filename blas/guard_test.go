package blas

import (
	"fmt"
	"math"
	"runtime/debug"
	"testing"
	"unsafe"
)

// fence lays operands against pages that cannot be touched, one in each region.
type fence struct {
	t       *testing.T
	regions [4][]float32
	laid    [4][2]int // from and to where the operands lie
	used    int
}

// fenced is the most numbers that an operand in a fence may have.
const fenced = 1 << 14

func newFence(t *testing.T) *fence {
	f := &fence{t: t}
	for i := range f.regions {
		var err error
		if f.regions[i], err = newRegion(fenced); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// put copies x to the end of a region, or to its start; canaries fill the rest of it.
func (f *fence) put(x []float32, atEnd bool) []float32 {
	region := f.regions[f.used]
	from := besides
	if atEnd {
		from = len(region) - besides - len(x)
	}
	to := from + len(x)
	copy(region, blanks(len(region)))
	copy(region[from:to], x)
	f.laid[f.used] = [2]int{from, to}
	f.used++
	return region[from:to:to]
}

// around is the product with each operand at the end of its region, or at the start if its bit of
// ends is set.
func (f *fence) around(p *product, ends int) *product {
	f.used = 0
	q := *p
	for i, m := range []*Matrix{&q.a, &q.b, &q.c} {
		m.Data = f.put(m.Data, ends>>i&1 == 0)
	}
	return &q
}

// check returns an error if something outside the operands was written.
func (f *fence) check() error {
	for i, laid := range f.laid[:f.used] {
		for at, v := range f.regions[i] {
			if (at < laid[0] || at >= laid[1]) && math.Float32bits(v) != math.Float32bits(canary) {
				return fmt.Errorf(
					"operand %d, of %d numbers: %v written at %d", i, laid[1]-laid[0], v,
					at-laid[0],
				)
			}
		}
	}
	return nil
}

// try runs a function on the operands. A fault in Go or in assembly becomes an error; one in C ends
// the program.
func (f *fence) try(does func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	does()
	return f.check()
}

// run computes the product in place, by does.
func (f *fence) run(p *product, ends int, does func()) {
	f.t.Helper()
	if err := f.try(does); err != nil {
		f.t.Fatalf("%v, operands laid %03b: %v", p, ends, err)
	}
}

// TestFence: what writes a number beside an operand is found.
func TestFence(t *testing.T) {
	f := newFence(t)
	for _, atEnd := range []bool{false, true} {
		for _, by := range []int{-1, 0, 6, 7} {
			f.used = 0
			x := f.put(make([]float32, 7), atEnd)
			number := (*float32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), 4*by))
			err := f.try(func() { *number = 1 })
			if outside := by < 0 || by > 6; outside != (err != nil) {
				t.Errorf("at the end %v, %d from the start: %v", atEnd, by, err)
			}
		}
	}
}

// guardShapes are small shapes, shapes around those of tiles, and some beyond a block in one
// direction.
var guardShapes = [][3]int{
	{
		1, 1, 1,
	},
	{2, 3, 5},
	{13, 31, 7},
	{14, 32, 8},
	{15, 33, 9},
	{17, 17, 33},
	{29, 47, 16},
	{blockM + 1, 5, 3},
	{1, 3, blockK + 1},
}

// TestGuardPages: products touch nothing before or after their operands.
func TestGuardPages(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		f, s := newFence(t), newSource(1)
		for i, d := range guardShapes {
			eachTrans(func(ta, tb Trans) {
				p := s.product(ta, tb, d[0], d[1], d[2]).with(i)
				for ends := range 8 {
					q := f.around(p, ends)
					f.run(q, ends, func() {
						Default().Gemm(ta, tb, q.alpha, q.a.Left(), q.b, q.beta, q.c)
					})
					p.check(t, q.c)
				}
			})
		}
	})
}

// TestGuardPacked: the same where the left factor's stride makes the native backend pack it.
func TestGuardPacked(t *testing.T) {
	use(t, "native")
	f, s := newFence(t), newSource(2)
	for _, stride := range []int{1024, 1500, 2048} {
		for _, ta := range flags {
			p := s.wide(s.product(ta, N, 7, 17, 7), stride)
			for ends := range 2 {
				q := f.around(p, ends)
				f.run(q, ends, func() { Default().Gemm(ta, N, 1, q.a.Left(), q.b, 0, q.c) })
				p.checkChain(t, q.c)
			}
		}
	}
}

// TestGuardFactor: nor do factors, with a bias.
func TestGuardFactor(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		f, s := newFence(t), newSource(3)
		for _, d := range guardShapes {
			for _, tb := range flags {
				p, bias := s.factored(tb, d, true)
				for ends := range 8 {
					q := f.around(p, ends)
					bias := f.put(bias, ends&1 == 0)
					f.run(q, ends, func() {
						var right Factor
						right.Set(tb, q.b)
						right.Mul(q.a.Left(), bias, q.c)
					})
					p.check(t, q.c)
				}
			}
		}
	})
}
