package kernel

import "testing"

// MulTiles is MulTile for one tile after the other.
func TestMulTiles(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		high, wide := TileShape()
		for _, rows := range []int{0, 1, high, high + 1, 3 * high, 4*high - 1} {
			const n, ldc = 7, 70
			a, b := normalTiles(1, 2*rows*n+1), normalTiles(2, 2*n*wide)
			start := normalTiles(3, (rows+1)*ldc)
			got, want := make([]float32, (rows+1)*ldc), make([]float32, (rows+1)*ldc)
			for lo := 0; lo < rows; lo += high {
				MulTile(want[lo*ldc:], ldc, start[lo*ldc:], ldc, a[lo:], 1, rows, 0, b,
					min(high, rows-lo), n, 2)
			}
			MulTiles(got, ldc, start, ldc, a, 1, rows, 0, b, rows, n, 2)
			for i, w := range want {
				if got[i] != w {
					t.Fatalf("%d rows, number %d: %v, expected %v", rows, i, got[i], w)
				}
			}
		}
	})
}

func normalTiles(step uint32, n int) []float32 {
	x := make([]float32, n)
	Normal(x, Key{Seed: 5, Step: step, Stream: 1 << 16}, 0)
	return x
}
