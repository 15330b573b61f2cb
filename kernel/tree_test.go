package kernel

import (
	"fmt"
	"testing"
)

// tree writes the sum of parts lo to hi with brackets: the left half has as many parts as the
// largest power of two below their number.
func tree(lo, hi int) string {
	if hi-lo == 1 {
		return fmt.Sprint(lo)
	}
	half := 1
	for 2*half < hi-lo {
		half *= 2
	}
	return "(" + tree(lo, lo+half) + " " + tree(lo+half, hi) + ")"
}

func TestJoinsAreTheTree(t *testing.T) {
	for n := 1; n <= 70; n++ {
		var waiting []string
		most := 0
		for i := range n {
			most = max(most, len(waiting))
			sum := fmt.Sprint(i)
			for range Joins(i, n) {
				last := len(waiting) - 1
				sum, waiting = "("+waiting[last]+" "+sum+")", waiting[:last]
			}
			waiting = append(waiting, sum)
		}
		if want := tree(0, n); len(waiting) != 1 || waiting[0] != want {
			t.Fatalf("%d parts: %v, expected %s", n, waiting, want)
		}
		if most > Waiting(n) {
			t.Errorf("%d parts: %d wait, more than %d", n, most, Waiting(n))
		}
	}
}

// A permutation from another group has other numbers, and that from group 0 is Perm.
func TestPermAt(t *testing.T) {
	key := Key{Seed: 3, Stream: 1 << 16}
	same, first, other := make([]int, 100), make([]int, 100), make([]int, 100)
	Perm(same, key)
	PermAt(first, key, 0)
	PermAt(other, key, 1<<33)
	differ := false
	seen := make([]bool, 100)
	for i := range same {
		if same[i] != first[i] {
			t.Fatalf("place %d: %d and %d", i, same[i], first[i])
		}
		differ = differ || same[i] != other[i]
		seen[other[i]] = true
	}
	if !differ {
		t.Error("two groups give one permutation")
	}
	for i, has := range seen {
		if !has {
			t.Errorf("%d is missing", i)
		}
	}
}
