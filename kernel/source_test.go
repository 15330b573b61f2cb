package kernel

import (
	"math"
	"math/rand/v2"
	"sync"
)

// class is a kind of numbers that arithmetic treats in its own way.
type class int

const (
	usual      class = iota // 2^-8 to 8
	integers                // -3 to 3, both zeros: ties, exact cancellation, bounds that are met
	denormals               // and the least normal numbers
	minute                  // about 2^-70, whose products are denormal
	enormous                // whose sums and products overflow
	infinities              // among normal numbers
	nans                    // likewise, of any sign and payload
	anyBits
	mixture // a class for every number
	classes
)

// source draws the arguments of one comparison.
type source struct {
	*rand.Rand
	class class
	pool  []float32 // of the class
}

func newSource(seed uint64, c class) *source {
	r := rand.New(rand.NewPCG(seed, uint64(c)))
	return &source{r, c, pools()[c][r.IntN(len(chances))]}
}

// chances are how many numbers there are for each special one, in the classes that mix: so that
// some rows are full of them and others have none.
var chances = [...]int{4, 64, 1024}

const poolSize = 1 << 14

// pools holds numbers of every class, by the chance of special ones: arguments begin somewhere in
// them, which takes less time than drawing each number anew.
var pools = sync.OnceValue(func() (all [classes][len(chances)][]float32) {
	r := rand.New(rand.NewPCG(3, 14))
	for c := range classes {
		for i, chance := range chances {
			all[c][i] = make([]float32, poolSize)
			for j := range all[c][i] {
				all[c][i][j] = draw(r, c, chance)
			}
		}
	}
	return all
})

// scaled is a number of either sign between 2^lo and 2^(lo+span).
func scaled(w uint64, lo, span int) float32 {
	e := uint32(127 + lo + int(w>>40)%span)
	return math.Float32frombits(uint32(w)&0x807fffff | e<<23)
}

func draw(r *rand.Rand, c class, chance int) float32 {
	w := r.Uint64()
	special := int(w>>52)%chance == 0
	switch {
	case c == integers:
		return float32(math.Copysign(float64(w>>32%4), float64(int32(w))))
	case c == denormals:
		return math.Float32frombits(uint32(w) & 0x80ffffff >> (w >> 32 % 24) & 0x80ffffff)
	case c == minute:
		return scaled(w, -77, 14)
	case c == enormous:
		return scaled(w, 124, 4)
	case c == infinities && special:
		return float32(math.Inf(int(int32(w) | 1)))
	case c == nans && special:
		return math.Float32frombits(uint32(w)&0x807fffff | 0x7f800001)
	case c == anyBits:
		return math.Float32frombits(uint32(w))
	case c == mixture:
		return draw(r, class(r.IntN(int(mixture))), chance)
	}
	return scaled(w, -8, 11)
}

// numbers sets dst to numbers of the class.
func (r *source) numbers(dst []float32) {
	at := r.IntN(len(r.pool) - len(dst))
	copy(dst, r.pool[at:])
}

// unsign makes most numbers positive.
func (r *source) unsign(x []float32) {
	w := r.Uint64()
	for i, v := range x {
		if w>>(i%64)&15 != 0 {
			x[i] = float32(math.Abs(float64(v)))
		}
	}
}

func (r *source) value() float32 { return r.pool[r.IntN(len(r.pool))] }

// id is a row's number or a group's: small, about 2^29 (where the block number passes 2^32),
// beyond 2^32, or so large that the block number wraps around.
func (r *source) id() uint64 {
	switch r.IntN(4) {
	case 0:
		return r.Uint64N(1000)
	case 1:
		return 1<<29 - r.Uint64N(32)
	case 2:
		return 1<<32 + r.Uint64N(1<<40)
	}
	return -r.Uint64N(40)
}

// fill sets the arguments that a kernel reads, and puts ballast into those that it only writes.
func (r *source) fill(k *raw, o *operands) {
	for i, p := range k.floats {
		r.numbers(o.f[i])
		if !p.signed {
			r.unsign(o.f[i])
		}
		if p.use == writes {
			copy(o.f[i], ballast)
		}
	}
	for j := range o.bytes {
		o.bytes[j] = byte(r.Uint32())
	}
	for i := range o.ids {
		o.ids[i] = r.id()
	}
	r.numbers(o.a[:])
	heat := []float32{r.value()}
	r.unsign(heat)
	o.heat = heat[0]
	o.first, o.seed = r.id(), r.Uint64()
	o.step, o.stream, o.other = r.Uint32(), r.Uint32(), r.Uint32()
	o.root = r.root(k, o)
	o.longest = float64(o.root) * (1 + 0x1p-30*float64(r.IntN(3)))
}

// ballast is what outputs hold before the generic path writes them: not what they hold before
// the others do.
var ballast = constant(mostNumbers, 0.75)

// strides draws how far apart rows are: of a tile's start as in the tile, not at all, or otherwise;
// of its factor a by rows, by columns, or neither side by side, in parts that divide the depth.
func (r *source) strides(k *raw, o *operands) {
	o.ldc = o.cols + r.IntN(mostApart+1)
	o.lds = [...]int{o.ldc, 0, o.cols + r.IntN(8)}[r.IntN(3)]
	switch r.IntN(3) {
	case 0:
		o.rs, o.cs = o.d+r.IntN(mostApart+1), 1
	case 1:
		o.rs, o.cs = 1, o.rows+r.IntN(mostApart+1)
	case 2:
		o.rs, o.cs = 2+r.IntN(40), 2+r.IntN(12)
	}
	o.parts, o.jump = 1+r.IntN(5), r.IntN(2)*r.IntN(100)
	for o.parts > 1 && o.d%(o.parts*max(1, k.part)) != 0 {
		o.parts--
	}
	if k.has(tilesLeft) {
		o.parts, o.next = 1, r.IntN(o.d+9)
	}
	if k.has(fourWritten) || k.has(twoWritten) {
		r.planes(k, o)
	}
}

// planes draws where planes lie: those that are written one after the other or row by row, those
// that are read anywhere.
func (r *source) planes(k *raw, o *operands) {
	n := 2
	if k.has(tilesLeft) {
		o.parts, o.next = 1, r.IntN(o.d+9)
	}
	if k.has(fourWritten) {
		n = 4
	}
	o.toRow = o.d + r.IntN(2)
	o.toApart = o.rows * o.toRow
	if r.IntN(2) == 0 {
		o.toApart, o.toRow = o.toRow, n*o.toRow
	}
	o.apart, o.row = r.IntN(2*o.d+1), r.IntN(2*o.d+1)
}

// root is a bound on a row's drift: none, any, or one about as long as the drift of some row.
func (r *source) root(k *raw, o *operands) float32 {
	h, g := k.place("h"), k.place("g")
	if h < 0 || g < 0 || len(o.f[g]) == 0 || r.IntN(4) == 0 {
		return r.value() * float32(r.IntN(2))
	}
	i := r.IntN(len(o.f[g]))
	return float32(math.Abs(float64(o.f[h][i/o.d]*o.f[g][i])) * math.Sqrt(float64(o.d)))
}
