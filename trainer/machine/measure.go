package machine

import (
	"context"
	"runtime"

	"github.com/klauspost/cpuid/v2"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/pool"
)

// Rate is an amount per second, of one worker alone and of all of them at once.
type Rate struct {
	One float64 `json:"one_worker"`
	All float64 `json:"all_workers"`
}

// Rates are the rates of a machine.
type Rates struct {
	Workers int  `json:"workers"`        // all of them: one for each core of the process
	FMA     Rate `json:"fma_flop_per_s"` // float32 operations of multiply-adds in registers
	// AMX and Pairs are the operations of products in bf16, where they are used.
	AMX     Rate   `json:"amx_flop_per_s,omitzero"`
	Pairs   Rate   `json:"vdpbf16ps_flop_per_s,omitzero"`
	Memory  Rate   `json:"memory_bytes_per_s"` // y += a x beyond the caches: read x and y, write y
	Normals Rate   `json:"normals_per_s"`      // of the noise stream
	Gemm    []Gemm `json:"sgemm_flop_per_s"`   // by backends and sizes
}

// Gemm is the rate of N x N matrix products, 2 N^3 operations each. Every worker has its own.
// Sizes at which a product would take a backend more than a second are left out.
type Gemm struct {
	Backend string `json:"backend"`
	N       int    `json:"n"`
	Rate
}

// sizes are those of the products: within the second-level cache, and beyond it.
var sizes = []int{512, 1024}

// Measure measures the rates, by default in about four seconds. When ctx ends it stops after the
// current round with ctx's error. No products may be computed meanwhile.
func Measure(ctx context.Context, o Options) (Rates, error) {
	return newMeter(ctx, o).all(pool.DefaultWorkers())
}

// FMAPeak is the rate of float32 operations per second that the given number of workers reaches
// with multiply-adds alone. By default it takes about 0.15 s.
func FMAPeak(ctx context.Context, workers int, o Options) (float64, error) {
	return newMeter(ctx, o).best(copies(workers, multiplyAdds))
}

// ProductPeak is the rate of operations per second that the given number of workers reaches with
// nothing but the instructions that products in the precision are made of: multiply-adds, or those
// of bf16 where they are used. A product in bf16x3 takes three. By default it takes about 0.15 s.
func ProductPeak(
	ctx context.Context, workers int, p blas.Precision, o Options,
) (float64, error) {
	var h *kernel.Halves
	switch p {
	case blas.BF16, blas.BF16x3:
		h = kernel.BF16Halves()
	case blas.BF16Pairs:
		h = kernel.PairHalves()
	}
	if h == nil {
		return FMAPeak(ctx, workers, o)
	}
	rate, err := newMeter(ctx, o).best(copies(workers, func() work { return peak(h.Peak) }))
	if p == blas.BF16x3 {
		rate /= 3
	}
	return rate, err
}

func (m *meter) all(workers int) (Rates, error) {
	r := Rates{Workers: workers}
	var err error
	if r.FMA, err = m.copied(workers, multiplyAdds); err != nil {
		return Rates{}, err
	}
	if r.AMX, err = m.halves(workers, kernel.BF16Halves()); err != nil {
		return Rates{}, err
	}
	if r.Pairs, err = m.halves(workers, kernel.PairHalves()); err != nil {
		return Rates{}, err
	}
	if r.Memory, err = m.memory(workers); err != nil {
		return Rates{}, err
	}
	if r.Normals, err = m.copied(workers, normals); err != nil {
		return Rates{}, err
	}
	for _, name := range blas.Available() {
		b, err := blas.Open(name)
		if err != nil {
			return Rates{}, err
		}
		list, err := m.gemms(workers, b)
		if err != nil {
			return Rates{}, err
		}
		r.Gemm = append(r.Gemm, list...)
	}
	return r, nil
}

// rate measures of(1) and of(workers).
func (m *meter) rate(workers int, of func(n int) []work) (r Rate, err error) {
	if r.One, err = m.best(of(1)); err != nil {
		return Rate{}, err
	}
	if r.All, err = m.best(of(workers)); err != nil {
		return Rate{}, err
	}
	return r, nil
}

// copied measures work that every worker does with its own memory.
func (m *meter) copied(workers int, of func() work) (Rate, error) {
	return m.rate(workers, func(n int) []work { return copies(n, of) })
}

// copies returns the same work for n workers, each with its own memory.
func copies(n int, of func() work) []work {
	list := make([]work, n)
	for i := range list {
		list[i] = of()
	}
	return list
}

// peakRounds take some microseconds.
const peakRounds = 1 << 12

func multiplyAdds() work { return peak(kernel.Peak) }

// halves measures products in bf16, if there are any.
func (m *meter) halves(workers int, h *kernel.Halves) (Rate, error) {
	if h == nil {
		return Rate{}, nil
	}
	return m.copied(workers, func() work { return peak(h.Peak) })
}

func peak(of func(rounds int) (operations int64)) work {
	return func(times int) (operations float64) {
		for range times {
			operations += float64(of(peakRounds))
		}
		return operations
	}
}

// normalsAtOnce easily fit into a first-level cache.
const normalsAtOnce = 1 << 12

func normals() work {
	x := make([]float32, normalsAtOnce)
	return func(times int) float64 {
		for range times {
			kernel.Normal(x, kernel.Key{Seed: 1}, 0)
		}
		return float64(times * len(x))
	}
}

func (m *meter) memory(workers int) (Rate, error) {
	n := m.Memory
	if n <= 0 {
		n = max(4*cpuid.CPU.Cache.L3, workers<<24, 1<<27)
	}
	x, y := make([]float32, n/8), make([]float32, n/8)
	for i := range x { // pages that were never written may share memory
		x[i], y[i] = 1, 1
	}
	return m.rate(workers, func(n int) []work {
		list := make([]work, n)
		for i := range list {
			lo, hi := pool.Span(len(x), n, i)
			list[i] = axpy(y[lo:hi], x[lo:hi])
		}
		return list
	})
}

func axpy(y, x []float32) work {
	return func(times int) float64 {
		for range times {
			kernel.Axpy(y, 1e-6, x)
		}
		return float64(times * len(x) * 12)
	}
}

// gemms measures the products of a backend by size.
func (m *meter) gemms(workers int, b *blas.Backend) (list []Gemm, err error) {
	for _, n := range sizes {
		if i := len(list) - 1; i >= 0 && operations(n) > list[i].One {
			break
		}
		g, err := m.gemm(workers, b, n)
		if err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

// operations is the number of them in a product of size n.
func operations(n int) float64 { return 2 * float64(n) * float64(n) * float64(n) }

// gemm measures products of a backend. Since gonum starts goroutines, the rate of one
// worker alone is measured on one processor.
func (m *meter) gemm(workers int, b *blas.Backend, n int) (g Gemm, err error) {
	g = Gemm{Backend: b.Name(), N: n}
	processors := runtime.GOMAXPROCS(0)
	if g.Backend == "gonum" {
		runtime.GOMAXPROCS(1)
	}
	g.One, err = m.best([]work{product(b, n)})
	runtime.GOMAXPROCS(processors)
	if err != nil {
		return Gemm{}, err
	}
	g.All, err = m.best(copies(workers, func() work { return product(b, n) }))
	return g, err
}

func product(backend *blas.Backend, n int) work {
	matrix := func(stream kernel.Stream) blas.Matrix {
		x := make([]float32, n*n)
		kernel.Normal(x, kernel.Key{Seed: 1, Stream: stream}, 0)
		return blas.Dense(x, n, n)
	}
	a, b, c := matrix(1), matrix(2), matrix(3)
	return func(times int) float64 {
		for range times {
			backend.Gemm(blas.N, blas.N, 1, a.Left(), b, 0, c)
		}
		return float64(times) * operations(n)
	}
}
