package kernel

import (
	"math"
	"math/rand/v2"
)

// class is a kind of numbers that arithmetic treats in its own way.
type class int

const (
	normals    class = iota // 2^-8 to 8
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

// draws is a source of arguments.
type draws struct {
	*rand.Rand
	class  class
	chance int // one number in so many is special in the classes that mix
}

func newDraws(seed uint64, c class) *draws {
	r := rand.New(rand.NewPCG(seed, uint64(c)))
	return &draws{r, c, []int{4, 64, 1024}[r.IntN(3)]}
}

// scaled is a number of either sign between 2^lo and 2^(lo+span).
func scaled(w uint64, lo, span int) float32 {
	e := uint32(127 + lo + int(w>>40)%span)
	return math.Float32frombits(uint32(w)&0x807fffff | e<<23)
}

func (r *draws) value() float32 { return r.of(r.class) }

func (r *draws) of(c class) float32 {
	w := r.Uint64()
	special := int(w>>52)%r.chance == 0
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
		return r.of(class(r.IntN(int(mixture))))
	}
	return scaled(w, -8, 11)
}

// positive is a value that most often has its sign removed.
func (r *draws) positive() float32 {
	v := r.value()
	if r.IntN(16) > 0 {
		v = float32(math.Abs(float64(v)))
	}
	return v
}

// id is a row's number or a group's: small, about 2^29 (where the block number passes 2^32),
// beyond 2^32, or so large that the block number wraps around.
func (r *draws) id() uint64 {
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

// fill sets the arguments that a kernel reads, and gives those that it only writes a number.
func (r *draws) fill(k *raw, o *operands) {
	floats, bytes := k.params()
	for i, p := range floats {
		for j := range o.f[i] {
			switch {
			case p.use == '=':
				o.f[i][j] = 0.75
			case p.positive:
				o.f[i][j] = r.positive()
			default:
				o.f[i][j] = r.value()
			}
		}
	}
	for j := range o.bytes {
		o.bytes[j] = byte(r.Uint32())
		if bytes.use == '=' {
			o.bytes[j] = 75
		}
	}
	for i := range o.ids {
		o.ids[i] = r.id()
	}
	for i := range o.a {
		o.a[i] = r.value()
	}
	o.heat = r.positive()
	o.first, o.seed, o.step, o.stream = r.id(), r.Uint64(), r.Uint32(), r.Uint32()
	o.root = r.root(o)
}

// root is a bound on a row's drift: none, or one that some of the rows exceed.
func (r *draws) root(o *operands) float32 {
	switch r.IntN(4) {
	case 0:
		return 0
	case 1:
		return r.positive()
	}
	v := r.value()
	return float32(math.Abs(float64(v*r.value())) * math.Sqrt(float64(o.d)))
}
