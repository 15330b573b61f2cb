package kernel

import "testing"

// call is one call of every exported loop, on n rows of d numbers, with spoil added to the length
// of one argument.
type call struct {
	name string
	args int // how many slices it takes
	f    func(s [10][]float32)
	rows uint // bit i: argument i has one number per row
}

var (
	callIDs  = []uint64{0, 1, 2}
	callU8   = make([]uint8, 3*19)
	callRows = len(callIDs)
	callKey  = Key{Seed: 1, Stream: testStream}
)

const callD = 19

// calls lists the loops whose arguments must fit each other.
var calls = []call{
	{"NormalRows", 1, func(s [10][]float32) { NormalRows(s[0], callIDs, callD, callKey) }, 0},
	{
		"NoiseRows", 5,
		func(s [10][]float32) { NoiseRows(s[0], s[1], s[2], s[3], s[4], callIDs, callD, callKey) },
		1<<3 | 1<<4,
	},
	{"Overdamped", 4, func(s [10][]float32) {
		Overdamped(&Move{Z: s[0], G: s[1], P: s[2], H: s[3], IDs: callIDs, D: callD, Clip: 1})
	}, 1 << 3},
	{"Underdamped", 5, func(s [10][]float32) {
		Underdamped(
			&Move{
				Z: s[0], G: s[1], P: s[2], H: s[3], U: s[4], IDs: callIDs, D: callD, Clip: 1,
				Friction: 0.5,
			},
		)
	}, 1 << 3},
	{"Exact", 5, func(s [10][]float32) {
		exactMove(
			&Move{Z: s[0], G: s[1], P: s[2], H: s[3], U: s[4], IDs: callIDs, D: callD, Clip: 1},
		)
	}, 1 << 3},
	{"SiLU", 2, func(s [10][]float32) { SiLU(s[0], s[1]) }, 0},
	{"SumSiLU", 4, func(s [10][]float32) { SumSiLU(s[0], s[1], s[2], s[3]) }, 0},
	{"SiLUBackwardAdd", 3, func(s [10][]float32) { SiLUBackwardAdd(s[0], s[1], s[2]) }, 0},
	{"Softmax", 2, func(s [10][]float32) { Softmax(s[0], s[1], 1, callD) }, 0},
	{
		"SoftmaxBackward", 3,
		func(s [10][]float32) { SoftmaxBackward(s[0], s[1], s[2], 1, callD) }, 0,
	},
	{"Axpy", 2, func(s [10][]float32) { Axpy(s[0], 1, s[1]) }, 0},
	{"SiLUBackward", 3, func(s [10][]float32) { SiLUBackward(s[0], s[1], s[2]) }, 0},
	{
		"ScoreResidual", 6,
		func(s [10][]float32) { ScoreResidual(s[0], s[1], s[2], s[3], s[4], s[5], callD) },
		1<<1 | 1<<5,
	},
	{"DataResidual", 3, func(s [10][]float32) {
		DataResidual(s[0], s[1], s[2], callX, 1, 2, callD, 1)
	}, 1 << 1},
	{"SquareNorms", 2, func(s [10][]float32) { SquareNorms(s[0], s[1], callD) }, 1},
	{"DotRows", 3, func(s [10][]float32) { DotRows(s[0], s[1], s[2], callD) }, 1},
	{"ScaleRows", 2, func(s [10][]float32) { ScaleRows(s[0], s[1], callD) }, 1 << 1},
	{
		"CombineRows", 6,
		func(s [10][]float32) { CombineRows(s[0], s[1], s[2], s[3], s[4], s[5], 1, callD) },
		1<<2 | 1<<4,
	},
	{"MeanRows", 2, func(s [10][]float32) { MeanRows(s[0], s[1], 1, callD) }, 0},
	{"Add", 2, func(s [10][]float32) { Add(s[0], s[1]) }, 0},
	{"Combine", 3, func(s [10][]float32) { Combine(s[0], 1, s[1], 1, s[2], 1) }, 0},
	{"Combine of two", 2, func(s [10][]float32) { Combine(s[0], 1, s[1], 1, nil, 0) }, 0},
	{"SGDStep", 2, func(s [10][]float32) { SGDStep(s[0], s[1], 1) }, 0},
	{"RMSpropStep", 3, func(s [10][]float32) { RMSpropStep(s[0], s[1], s[2], 1, 0.5, 1) }, 0},
	{
		"AdamStep", 4,
		func(s [10][]float32) { AdamStep(s[0], s[1], s[2], s[3], testRates) }, 0,
	},
	{"EMAStep", 2, func(s [10][]float32) { EMAStep(s[0], s[1], 0.5) }, 0},
	{"U8ToF32", 1, func(s [10][]float32) { U8ToF32(s[0], callU8) }, 0},
	{"F32ToU8", 1, func(s [10][]float32) { F32ToU8(callU8, s[0]) }, 0},
}

var testRates = AdamRates{LR: 1, Beta1: 0.5, Beta2: 0.5, Epsilon: 1, C1: 1, C2: 1}

var callX = make([]float32, 2*callD)

// arguments gives argument i its length, plus spoil for argument at.
func (c call) arguments(at, spoil int) (s [10][]float32) {
	for i := range c.args {
		n := callRows * callD
		if c.rows>>i&1 == 1 {
			n = callRows
		}
		if i == at {
			n += spoil
		}
		s[i] = make([]float32, n)
	}
	return s
}

func TestPanics(t *testing.T) {
	for _, c := range calls {
		c.f(c.arguments(-1, 0))
		for i := range c.args {
			for _, spoil := range []int{-1, 1} {
				s := c.arguments(i, spoil)
				mustPanic(t, c.name, errLen, func() { c.f(s) })
			}
		}
	}
	x := func(n int) []float32 { return make([]float32, n) }
	vectors := map[string]func(x, y, a, b []float32){
		"Affine":        func(x, y, a, b []float32) { Affine(x, y, a, b) },
		"AffineSiLU y":  func(x, y, a, b []float32) { AffineSiLU(x, y, y, a, b) },
		"AffineSiLU s":  func(x, y, a, b []float32) { AffineSiLU(y, x, y, a, b) },
		"AffineGrad dx": func(x, y, a, b []float32) { AffineGrad(x, y, y, a, a, b) },
		"AffineGrad dy": func(x, y, a, b []float32) { AffineGrad(y, x, y, a, b, a) },
		"AffineGradAdd": func(x, y, a, b []float32) { AffineGradAdd(x, y, y, b, a, a) },
		"ColDot":        func(x, y, a, b []float32) { check(len(a) == len(b)); ColDot(a, x, y) },
		"ColSquares": func(x, y, a, b []float32) {
			check(len(x) == len(y))
			ColSquares(a, x, b)
		},
	}
	for name, f := range vectors {
		f(x(6), x(6), x(3), x(3))
		mustPanic(t, name+" of other arrays", errLen, func() { f(x(3), x(6), x(3), x(3)) })
		mustPanic(t, name+" of other vectors", errLen, func() { f(x(6), x(6), x(2), x(3)) })
		mustPanic(t, name+" width", errWidth, func() { f(x(7), x(7), x(3), x(3)) })
		mustPanic(t, name+" without columns", errWidth, func() { f(x(7), x(7), nil, nil) })
	}
	mustPanic(t, "Softmax width", errWidth, func() { Softmax(x(7), x(7), 1, 3) })
	mustPanic(t, "SoftmaxBackward", errWidth, func() { SoftmaxBackward(x(7), x(7), x(7), 1, 0) })
	long := x(MaxRow + 1)
	mustPanic(t, "Softmax row", errRow, func() { Softmax(long, long, 1, len(long)) })
	mustPanic(
		t, "SoftmaxBackward row", errRow,
		func() { SoftmaxBackward(long, long, long, 1, len(long)) },
	)
	mustPanic(t, "ColSumAdd", errLen, func() { ColSumAdd(x(3), x(10), 4) })
	mustPanic(t, "MeanRows width", errWidth, func() { MeanRows(x(4), x(8), 2, 3) })
	mustPanic(t, "MeanRows repeat", errLen, func() { MeanRows(nil, nil, 0, 1) })
	mustPanic(t, "ColSum width", errLen, func() { ColSum(x(4), x(6), 3, 1) })
	mustPanic(t, "ColSum last row", errLen, func() { ColSum(x(3), x(10), 4, 1) })
	mustPanic(t, "Sinusoids", errLen, func() { Sinusoids(x(11), x(2), x(3)) })
	mustPanic(
		t, "DataResidual images", errLen,
		func() { DataResidual(x(6), x(3), x(6), x(3), 0, 2, 2, 1) },
	)
	mustPanic(
		t, "DataResidual repeat", errLen,
		func() { DataResidual(x(6), x(3), x(6), x(6), 0, 0, 2, 1) },
	)
}

// TestShortCalls: no call of an implementation handles more than MaxRow elements.
func TestShortCalls(t *testing.T) {
	chosen := active
	defer func() { active = chosen }()
	calls := 0
	short := func(x []float32) {
		calls++
		if len(x) > MaxRow {
			t.Errorf("a call of %d elements, want at most %d", len(x), MaxRow)
		}
	}
	p := generic
	p.sinusoids = func(dst, lambda, freq []float32) { short(dst) }
	p.siLU = func(y, x []float32) { short(y) }
	p.squareNorms = func(dst, x []float32, ld, d int) { short(x[:len(dst)*d]) }
	p.normalRows = func(dst []float32, _ []uint64, _ int, _ uint64, _, _ uint32) { short(dst) }
	p.affine = func(y, x, a, b []float32) { short(x) }
	p.affineGrad = func(dx, dy, x, a, b, c []float32) { short(x) }
	p.colDot = func(dst, x, y []float32, rows int) { short(x) }
	p.softmax = func(y, x []float32, scale float32, rows, d int) { short(x) }
	p.add = func(dst, x []float32) { short(dst) }
	active = &p

	const rows, d = 3, MaxRow/2 - 2
	x := make([]float32, rows*d)
	Sinusoids(x, x[:rows], x[:d/2])
	SiLU(x, x)
	SquareNorms(x[:rows], x, d)
	NormalRows(x, callIDs, d, callKey)
	Add(x, x)
	Affine(x, x, x[:d], x[:d])
	AffineGrad(x, x, x, x[:d], x[:d], x[:d])
	ColDot(x[:d], x, x)
	Softmax(x, x, 1, d)
	if calls != 18 { // two rows a call, then one; 3*d elements in two pieces
		t.Errorf("%d calls, want 18", calls)
	}
	long := make([]float32, 2*MaxRow+5)
	SquareNorms(x[:1], long, len(long))
	if calls != 21 {
		t.Errorf("a row of %d elements: %d calls, want 3", len(long), calls-18)
	}
}

func TestNoAllocation(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, c := range calls {
			s := c.arguments(-1, 0)
			if n := testing.AllocsPerRun(10, func() { c.f(s) }); n != 0 {
				t.Errorf("%s allocates %v times", c.name, n)
			}
		}
		for _, c := range fittings() {
			s := c.arguments(-1)
			if n := testing.AllocsPerRun(10, func() { c.f(s) }); n != 0 {
				t.Errorf("%s allocates %v times", c.name, n)
			}
		}
		x, y := make([]float32, 95), make([]float32, 95)
		b, b0 := make([]float32, 19), make([]float32, 19)
		words, perm := make([]uint32, 95), make([]int, 95)
		for name, f := range map[string]func(){
			"Bits":          func() { Bits(words, callKey, 0) },
			"Perm":          func() { Perm(perm, callKey) },
			"Uniform":       func() { Uniform(x, callKey, 0) },
			"Normal":        func() { Normal(x, callKey, 0) },
			"ColSum":        func() { ColSum(b, x, 19, 1) },
			"ColDot":        func() { ColDot(b, x, y) },
			"ColSquares":    func() { ColSquares(b, x, b0) },
			"Affine":        func() { Affine(y, x, b, b) },
			"AffineSiLU":    func() { AffineSiLU(y, x, x, b, b) },
			"AffineGrad":    func() { AffineGrad(y, y, x, b, b, b) },
			"AffineGradAdd": func() { AffineGradAdd(y, x, x, b, b, b) },
			"Sinusoids":     func() { Sinusoids(x[:38], b[:1], b) },
			"AllFinite":     func() { AllFinite(x) },
			"Peak":          func() { Peak(3) },
		} {
			if n := testing.AllocsPerRun(10, f); n != 0 {
				t.Errorf("%s allocates %v times", name, n)
			}
		}
	})
}
