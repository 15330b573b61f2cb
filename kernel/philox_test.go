package kernel

import (
	"math"
	"testing"
)

// vectors are the entries "philox4x32 10" of kat_vectors in Random123 1.14: counter, key, output.
var vectors = []struct {
	counter [4]uint32
	key     [2]uint32
	out     [4]uint32
}{
	{out: [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
	{
		counter: [4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
		key:     [2]uint32{0xffffffff, 0xffffffff},
		out:     [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
	},
	{
		counter: [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
		key:     [2]uint32{0xa4093822, 0x299f31d0},
		out:     [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
	},
}

func TestPhiloxVectors(t *testing.T) {
	for _, v := range vectors {
		var out [4]uint32
		out[0], out[1], out[2], out[3] = philox(
			v.counter[0], v.counter[1], v.counter[2], v.counter[3], v.key[0], v.key[1],
		)
		if out != v.out {
			t.Errorf("counter %08x key %08x: got %08x, want %08x", v.counter, v.key, out, v.out)
		}
	}
}

// TestVectorsThroughFill finds the published outputs where the layout puts them: block b is lane
// b mod 8 of group b/8, its words eight elements apart; the step and the stream are the upper
// half of the counter.
func TestVectorsThroughFill(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, v := range vectors {
			block := uint64(v.counter[1])<<32 | uint64(v.counter[0])
			key := Key{
				Seed: uint64(v.key[1])<<32 | uint64(v.key[0]), Step: v.counter[2],
				Stream: Stream(v.counter[3]),
			}
			var words [GroupLen]uint32
			var uniforms [GroupLen]float32
			Bits(words[:], key, block/8)
			Uniform(uniforms[:], key, block/8)
			for w, want := range v.out {
				e := 8*w + int(block%8)
				if words[e] != want {
					t.Errorf("element %d is %08x, want %08x", e, words[e], want)
				}
				if u := (float64(want>>8) + 1) / (1 << 24); float64(uniforms[e]) != u {
					t.Errorf("uniform %d is %v, want %v", e, uniforms[e], u)
				}
			}
		}
	})
}

// streamWord is word i of a fill, read off the definition of the layout.
func streamWord(key Key, first uint64, i int) uint32 {
	g, e := first+uint64(i/32), i%32
	w, lane := e/8, e%8
	b := 8*g + uint64(lane)
	var out [4]uint32
	out[0], out[1], out[2], out[3] = philox(
		uint32(b), uint32(b>>32), key.Step, uint32(key.Stream), uint32(key.Seed),
		uint32(key.Seed>>32),
	)
	return out[w]
}

// streamNormal is normal i of a fill by Box and Muller in float64: of a lane's words, (0, 1) and
// (2, 3) are pairs, radius and angle, whose cosine comes first.
func streamNormal(key Key, first uint64, i int) float64 {
	pair := i - i%16 + i%8
	o, angle := streamWord(key, first, pair), streamWord(key, first, pair+8)
	r := math.Sqrt(-2 * math.Log((float64(o>>8)+1)/(1<<24)))
	sin, cos := math.Sincos(math.Pi * float64(int32(angle)) / (1 << 31))
	if i%16 < 8 {
		return r * cos
	}
	return r * sin
}

var layoutKeys = []struct {
	Key
	first uint64
}{
	{Key{}, 0},
	{Key{Seed: 0x0123456789abcdef, Step: 7, Stream: 3}, 3},
	{Key{Seed: math.MaxUint64, Step: math.MaxUint32, Stream: 5}, 1 << 32},
	{Key{Seed: 5, Step: 1 << 31, Stream: 10}, 1<<29 - 2}, // the block index crosses 2^32
}

func TestFillLayout(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, k := range layoutKeys {
			for _, n := range append(widths(), 0, 1000) {
				words := make([]uint32, n)
				u, x := guarded(t, n), guarded(t, n)
				Bits(words, k.Key, k.first)
				Uniform(u, k.Key, k.first)
				Normal(x, k.Key, k.first)
				for i, w := range words {
					want := streamWord(k.Key, k.first, i)
					if w != want || float64(u[i]) != (float64(want>>8)+1)/(1<<24) {
						t.Fatalf(
							"key %+v, n %d, element %d: word %08x, uniform %v, want word %08x", k,
							n, i, w, u[i], want,
						)
					}
					if z := streamNormal(k.Key, k.first, i); beyond(float64(x[i])-z, normalTol(z)) {
						t.Fatalf("key %+v, n %d, element %d: normal %v, want %v", k, n, i, x[i], z)
					}
				}
			}
		}
	})
}

// TestRowNoise: whoever draws the noise of row id finds the same bits, those of group
// id*Groups(d) on.
func TestRowNoise(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		key := Key{Seed: 11, Step: 3, Stream: 3}
		ids := []uint64{5, 0, 1 << 40, 6}
		n := len(ids)
		ones, half := constant(n, 1), constant(n, 0.5)
		for _, d := range widths() {
			want := make([]float32, n*d)
			for i, id := range ids {
				Normal(want[i*d:(i+1)*d], key, id*uint64((d+31)/32))
			}
			got := guarded(t, n*d)
			NormalRows(got, ids, d, key)
			same(t, "NormalRows", got, want)

			zero, zl, eps := make([]float32, n*d), guarded(t, n*d), guarded(t, n*d)
			NoiseRows(zl, eps, zero, ones, ones, ids, d, key)
			same(t, "NoiseRows eps", eps, want)
			same(t, "NoiseRows zl", zl, want)

			m := Move{Z: guarded(t, n*d), G: zero, P: zero, H: half, IDs: ids, D: d, Key: key}
			clear(m.Z)
			Overdamped(&m) // sqrt(2 h) = 1
			same(t, "Overdamped", m.Z, want)

			m.U, m.Friction = guarded(t, n*d), 1
			clear(m.Z)
			clear(m.U)
			Underdamped(&m)
			same(t, "Underdamped z", m.Z, want)
			same(t, "Underdamped u", m.U, want)
		}
	})
}

func TestGroups(t *testing.T) {
	for n, want := range map[int]uint64{0: 0, 1: 1, 31: 1, 32: 1, 33: 2, 64: 2, 65: 3} {
		if got := Groups(n); got != want {
			t.Errorf("Groups(%d) = %d, want %d", n, got, want)
		}
	}
}

// TestTwin: the twin of a run's key has a seed that no run has, and is not the twin of another.
func TestTwin(t *testing.T) {
	for _, seed := range []uint64{0, 1, 1 << 40, MaxSeed} {
		k := Key{Seed: seed, Step: 3, Stream: testStream}
		twin := k.Twin()
		if twin.Seed <= MaxSeed || twin.Twin() != k || twin.Step != k.Step ||
			twin.Stream != k.Stream {
			t.Errorf("twin of %+v is %+v", k, twin)
		}
	}
}

func TestPerm(t *testing.T) {
	key := Key{Seed: 2, Stream: 6}
	for _, n := range []int{0, 1, 2, 31, 32, 33, 34, 1000} {
		got, want := make([]int, n), make([]int, n)
		Perm(got, key)
		for i := range want {
			want[i] = i
		}
		for i := n - 1; i > 0; i-- {
			j := int(uint64(streamWord(key, 0, n-1-i)) * uint64(i+1) >> 32)
			want[i], want[j] = want[j], want[i]
		}
		seen := make([]bool, n)
		for i, p := range got {
			if p != want[i] || seen[p] {
				t.Fatalf("n %d: place %d holds %d, want %d", n, i, p, want[i])
			}
			seen[p] = true
		}
	}
}

// TestPermUniform: all 24 orders of four are equally likely. The statistic is chi-square with 23
// degrees of freedom, beyond 64 with probability 1e-5; choosing partners from all four places
// at every turn, the classic mistake, gives about 900.
func TestPermUniform(t *testing.T) {
	const trials = 24000
	count := map[[4]int]int{}
	for step := range uint32(trials) {
		var p [4]int
		Perm(p[:], Key{Seed: 1, Step: step, Stream: 6})
		count[p]++
	}
	var chi2 float64
	for _, c := range count {
		chi2 += math.Pow(float64(c)-trials/24, 2) / (trials / 24)
	}
	if len(count) != 24 || chi2 > 64 {
		t.Errorf("%d orders, chi-square %.1f, want 24 and at most 64", len(count), chi2)
	}
}
