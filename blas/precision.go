package blas

import (
	"fmt"
	"strings"

	"github.com/plume-ml/plume/kernel"
)

// Precision says what becomes of the factors of native products, and in which order their terms are
// added. Sums are float32 in all of them.
type Precision string

const (
	// Float32 takes factors as they are. Every element is one chain of multiply-adds in the order
	// of k. Convolutions are such products, or several with transforms around them
	// ([Backend.Winograds]).
	Float32 Precision = "float32"

	// BF16 rounds factors to bf16: to nearest even, with 8 bits, and magnitudes below 2^-56 to
	// zero. k is cut into groups of 32 from 0. Within a group, a chain of multiply-adds from +0
	// takes the even numbers, another one the odd numbers; their sum is added to the element. It is
	// the order of the tile instructions of AMX.
	BF16 Precision = "bf16"

	// BF16Pairs rounds factors likewise. Every element is one chain of multiply-adds, which takes
	// of each pair of numbers of k, counted from 0, the odd one first. It is the order of the
	// AVX-512 instruction VDPBF16PS.
	BF16Pairs Precision = "bf16-pairs"

	// BF16x3 splits each factor into its bf16 and the bf16 of what that leaves, hi + lo. Each group
	// of 32 adds the products hi hi, hi lo and lo hi, one after the other, each in the order of
	// BF16. It is close to Float32, and not equal: the errors of sums are about ten times as large.
	BF16x3 Precision = "bf16x3"
)

// Precisions lists all precisions.
var Precisions = []Precision{Float32, BF16, BF16Pairs, BF16x3}

// In is the backend with products in the given precision. Only the native backend has more than
// [Float32].
func (b *Backend) In(p Precision) (*Backend, error) {
	if b.Precision() == p {
		return b, nil
	}
	if b.order == nil {
		return nil, fmt.Errorf("precision %q: the products of %s have float32 alone, "+
			"those of native (--blas native) also %s", p, b.name,
			strings.Join(names(Precisions[1:]), ", "))
	}
	native, ok := natives[p]
	if !ok {
		return nil, fmt.Errorf("precision %q: want one of %s", p,
			strings.Join(names(Precisions), ", "))
	}
	return native, nil
}

// In is the default backend with products in the given precision: the native one, where the default
// has float32 alone and nobody named it to [Use].
func In(p Precision) (*Backend, error) {
	c := current.Load()
	if p != Float32 && c.backend.order == nil && !c.named {
		return nativeBackend.In(p)
	}
	return c.backend.In(p)
}

func names(list []Precision) (s []string) {
	for _, p := range list {
		s = append(s, string(p))
	}
	return s
}

// Precision is the precision of the backend's products.
func (b *Backend) Precision() Precision {
	if b.order == nil {
		return Float32
	}
	return b.order.precision
}

// natives are the native backend in each precision.
var natives = map[Precision]*Backend{
	Float32:   &nativeBackend,
	BF16:      native(inHalves(groups, kernel.BF16Halves(), blockMTiles)),
	BF16Pairs: native(inHalves(pairs, kernel.PairHalves(), blockMPairs)),
	BF16x3:    native(inHalves(splitGroups, kernel.BF16Halves(), blockMTiles)),
}

func native(o *order) *Backend { return &Backend{name: "native", info: nativeInfo, order: o} }
