package kernel

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"testing"
)

func TestFMA32(t *testing.T) {
	const n = 200000
	words := make([]uint32, 3*n)
	Bits(words, Key{Seed: 1, Stream: testStream}, 0)
	// exponents of x, y and z within 2^+-15, so that products and sums overlap in every way
	float := func(w uint32) float32 {
		return math.Float32frombits(w&0x807fffff | (112+w>>23&31)<<23)
	}
	for i := range n {
		x, y, z := float(words[3*i]), float(words[3*i+1]), float(words[3*i+2])
		checkFMA(t, x, y, z)
		checkFMA(t, x, y, -x*y) // cancels to the rounding error of the product
	}
}

// TestFMA32Ties: x*y is half an ulp of z, up to a term so small that float64 loses it: rounding
// twice would take the sum for a tie.
func TestFMA32Ties(t *testing.T) {
	for k := 1; k <= 23; k++ {
		near := []float32{1, 1 + float32(math.Ldexp(1, -k)), 1 - float32(math.Ldexp(1, -k))}
		for _, z := range []float32{
			1, 1 + 0x1p-23, 1.5, 1.5 + 0x1p-23, 2 - 0x1p-23, 0x1.fffffep9, 0x1.000002p-3,
		} {
			half := float32(ulp(float64(z)) / 2)
			for _, y := range near {
				for _, w := range near {
					for _, s := range []float32{1, -1} {
						checkFMA(t, half*w, y, s*z)
						checkFMA(t, -half*w, y, s*z)
						checkFMA(t, 3*half*w, y, s*z)
					}
				}
			}
		}
	}
}

func checkFMA(t *testing.T, x, y, z float32) {
	t.Helper()
	exact := func(v float32) *big.Float {
		return new(big.Float).SetPrec(200).SetFloat64(float64(v))
	}
	sum := exact(x)
	sum.Mul(sum, exact(y)).Add(sum, exact(z))
	want, _ := sum.Float32()
	if want != 0 && math.Abs(float64(want)) < 0x1p-126 {
		return // not promised
	}
	if got := fma32(x, y, z); got != want {
		t.Fatalf("fma32(%x, %x, %x) = %x, want %x", x, y, z, got, want)
	}
}

var goldenNormals = []struct {
	Key
	hash  uint64 // FNV-1a of the little-endian bits of the first 2^20 normals
	first []float32
}{
	{
		Key{Seed: 0, Step: 0, Stream: 1}, 0x906e327fd58dbb28,
		[]float32{0x1.a6b396p+00, -0x1.666254p-03, 0x1.54cb8cp+00, -0x1.36420ep-01},
	},
	{
		Key{Seed: 20250519, Step: 12, Stream: 3}, 0xd2456e2039553df1,
		[]float32{-0x1.249902p+00, -0x1.826a4p-01, -0x1.4e2758p-01, -0x1.746ffap+00},
	},
	{
		Key{Seed: math.MaxUint64, Step: math.MaxUint32, Stream: 4}, 0xa98f3af29c9bb6c8,
		[]float32{0x1.94552cp-03, -0x1.adbc28p-04, -0x1.348b1ap-02, -0x1.5eb67cp-02},
	},
}

// normalUlps bounds the error of a normal against Box and Muller in float64. Over the three
// million of the golden fills it is 3.91 ulp: about 1.5 each from the reduced angle, from its
// sine or cosine and from the radius, and half of one from their product.
const normalUlps = 4.5

func normalTol(z float64) float64 { return normalUlps * ulp(z) }

// TestGoldenNormals pins the stream: every run, and every path, must find these bits.
func TestGoldenNormals(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		x := make([]float32, 1<<20)
		buf := make([]byte, 4*len(x))
		for _, g := range goldenNormals {
			Normal(x, g.Key, 0)
			for i, v := range x {
				binary.LittleEndian.PutUint32(buf[4*i:], math.Float32bits(v))
			}
			h := fnv.New64a()
			h.Write(buf)
			if h.Sum64() != g.hash {
				t.Errorf(
					"%+v: hash %#x, want %#x; the stream begins %x", g.Key, h.Sum64(), g.hash,
					x[:4],
				)
			}
			same(t, fmt.Sprint(g.Key), x[:len(g.first)], g.first)

			var worst float64
			for i, v := range x[:1<<17] {
				z := streamNormal(g.Key, 0, i)
				worst = max(worst, math.Abs(float64(v)-z)/ulp(z))
			}
			if !(worst <= normalUlps) {
				t.Errorf("%+v: largest error %.2f ulp, want at most %v", g.Key, worst, normalUlps)
			}
		}
	})
}
