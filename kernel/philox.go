package kernel

import "math/bits"

// Stream names one independent use of randomness. It is the last counter word of the generator, so
// two streams of one seed never share a number. A package that draws declares its streams as
// constants of this type. Their numbers are part of what a checkpoint means: new ones may be added,
// none may change. trainer/ALGORITHM.md section 9 lists them all, and a test holds it to the
// constants. Numbers from 1<<16 on are for tests and benchmarks.
type Stream uint32

// MaxSeed is the largest seed of a run. Larger ones are those of twins.
const MaxSeed = 1<<63 - 1

// Key addresses one fill of the noise stream: which generator (Seed), at which time (Step),
// for which purpose (Stream). Within a fill, numbers are addressed by their group.
type Key struct {
	Seed   uint64
	Step   uint32
	Stream Stream
}

// Twin is a second key for the same purpose: for seeds up to MaxSeed, no key is another's twin.
func (k Key) Twin() Key {
	k.Seed = ^k.Seed
	return k
}

// GroupLen is the number of elements in a group: 8 Philox blocks of 4 words.
const GroupLen = 32

// Groups is the number of groups that a row of n elements occupies. Every row starts a new
// group, so row number i of an array with rows of n elements starts at group i*Groups(n).
func Groups(n int) uint64 { return uint64((n + GroupLen - 1) / GroupLen) }

const (
	philoxM0 = 0xD2511F53
	philoxM1 = 0xCD9E8D57
	philoxW0 = 0x9E3779B9 // golden ratio
	philoxW1 = 0xBB67AE85 // sqrt(3) - 1
)

// philox is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
// as 1, 2, 3" (SC 2011): ten rounds of a bijection of the 128-bit counter under a 64-bit key.
func philox(c0, c1, c2, c3, k0, k1 uint32) (uint32, uint32, uint32, uint32) {
	for range 10 {
		hi0, lo0 := bits.Mul32(philoxM0, c0)
		hi1, lo1 := bits.Mul32(philoxM1, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += philoxW0
		k1 += philoxW1
	}
	return c0, c1, c2, c3
}

// group computes group g of a fill. Element 8w+l is output word w of block 8g+l: vectors of
// 16, 8 or 4 lanes produce this order without shuffles, each lane working on its own block.
func group(dst *[GroupLen]uint32, key Key, g uint64) {
	k0, k1 := uint32(key.Seed), uint32(key.Seed>>32)
	for l := range 8 {
		b := 8*g + uint64(l)
		dst[l], dst[8+l], dst[16+l], dst[24+l] = philox(
			uint32(b), uint32(b>>32), key.Step, uint32(key.Stream), k0, k1,
		)
	}
}

// Bits fills dst with raw words of the stream, starting at the given group.
func Bits(dst []uint32, key Key, first uint64) {
	var buf [GroupLen]uint32
	for g := first; len(dst) > 0; g++ {
		group(&buf, key, g)
		dst = dst[copy(dst, buf[:]):]
	}
}

// Perm fills dst with a uniformly random permutation of 0..len(dst)-1 (Fisher and Yates from
// the back; word i of the fill chooses the partner of place len(dst)-1-i by multiply-shift,
// whose bias of len/2^32 is far below what any use here could notice).
func Perm(dst []int, key Key) { PermAt(dst, key, 0) }

// PermAt is Perm with the words from the given group on.
func PermAt(dst []int, key Key, first uint64) {
	for i := range dst {
		dst[i] = i
	}
	var buf [GroupLen]uint32
	for i := len(dst) - 1; i > 0; i-- {
		n := len(dst) - 1 - i
		if n%GroupLen == 0 {
			group(&buf, key, first+uint64(n/GroupLen))
		}
		j := int(uint64(buf[n%GroupLen]) * uint64(i+1) >> 32)
		dst[i], dst[j] = dst[j], dst[i]
	}
}
