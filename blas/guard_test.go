package blas

import (
	"testing"

	"github.com/plume-ml/plume/internal/guard"
)

// fence lays operands against pages that cannot be touched.
type fence struct {
	*guard.Fence
	t *testing.T
}

// fenced is the most numbers that an operand in a fence may have.
const fenced = 1 << 14

func newFence(t *testing.T) *fence { return &fence{guard.NewFence(t, 4, fenced), t} }

// around is the product with each operand at the end of its region, or at the start if its bit of
// ends is set.
func (f *fence) around(p *product, ends int) *product {
	f.Clear()
	q := *p
	for i, m := range []*Matrix{&q.a, &q.b, &q.c} {
		m.Data = f.Put(m.Data, ends>>i&1 == 0)
	}
	return &q
}

// run computes the product in place, by does.
func (f *fence) run(p *product, ends int, does func()) {
	f.t.Helper()
	if err := f.Try(does); err != nil {
		f.t.Fatalf("%v, operands laid %03b: %v", p, ends, err)
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
	eachProducts(t, func(t *testing.T) {
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
func TestGuardPacked(t *testing.T) { eachNative(t, testGuardPacked) }

func testGuardPacked(t *testing.T) {
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
	eachProducts(t, func(t *testing.T) {
		f, s := newFence(t), newSource(3)
		for _, d := range guardShapes {
			for _, tb := range flags {
				p, bias := s.factored(tb, d, true)
				for ends := range 8 {
					q := f.around(p, ends)
					bias := f.Put(bias, ends&1 == 0)
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
