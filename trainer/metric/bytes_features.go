package metric

import "github.com/plume-ml/plume/trainer/memory"

// FeaturesBytes is the memory of n features of k numbers.
func FeaturesBytes(n, k int) int64 { return memory.Array[float32](n, k) }

// FrechetBytes is the memory in which Frechet works with n and m features of k numbers: both in float64, and the
// square matrices of their covariances.
func FrechetBytes(n, m, k int) int64 {
	return memory.Array[float64](n+m, k) + max(gaussianBytes(n, k), gaussianBytes(m, k)) + rootsBytes(n, m, k)
}

// FrechetIntervalBytes is the memory in which FrechetInterval works: each worker
// holds resamples of both sets.
func FrechetIntervalBytes(n, m, k, workers int) int64 {
	return int64(workers) * (FrechetBytes(n, m, k) + tallyBytes(n) + tallyBytes(m))
}

func tallyBytes(n int) int64 { return memory.Array[uint16](n) + memory.Array[uint32](n) }

// gaussianBytes is what a gaussian of n rows is made in, beside the rows: a block of them, the covariance, and its
// decomposition.
func gaussianBytes(n, k int) int64 {
	if n <= k {
		return 0
	}
	return memory.Array[float64](min(squareRows, n), k) + memory.Array[float64](2, k, k)
}

// rootsBytes is the memory of the roots of two gaussians, of their product, and of its decomposition, which works in
// blocks of rows and columns (LAPACK's xGEBRD).
func rootsBytes(n, m, k int) int64 {
	var roots int64
	for _, rows := range []int{n, m} {
		if rows > k { // else the rows themselves
			roots += memory.Array[float64](k, k)
		}
	}
	rows, cols := min(n, k), min(m, k)
	return roots + memory.Array[float64](2, rows, cols) + memory.Array[float64](rows+cols, syevRows)
}

// tileBytes is what workers find products in.
func tileBytes(workers int) int64 { return memory.Array[float32](workers, tileRows, tileCols) }

// mmdBytes is the memory of the rows' lengths and sums, and of the jackknife.
func mmdBytes(n, m, workers int) int64 {
	return memory.Array[float64](3, n+m) + memory.Array[float64](max(n, m)) + tileBytes(workers)
}

// KIDBytes is the memory in which KID works with n and m features of k numbers, in subsets of so many.
func KIDBytes(n, m, k, size, workers int) int64 {
	size = min(size, n, m)
	pair := memory.Array[int](n+m) + memory.Array[float32](2, size, k) + memory.Array[float64](2, size)
	return max(mmdBytes(n, m, workers), int64(workers)*pair+tileBytes(workers))
}

// RBFBytes is the memory in which RBFMMD works: copies of the features, or the distances of which the median is taken.
func RBFBytes(n, m, k, workers int) int64 {
	rows := min(n, medianRows) + min(m, medianRows)
	distances := memory.Array[float64](rows*(rows-1)/2) + memory.Array[int](max(n, m))
	return max(memory.Array[float32](n+m, k)+memory.Array[float64](k)+mmdBytes(n, m, workers), distances)
}

// SlicedBytes is the memory in which SlicedWasserstein works: each worker projects both sets on some directions and
// sorts them.
func SlicedBytes(n, m, k, workers int) int64 {
	sorted := memory.Array[float32](n+m) + memory.Array[int32](n+m) + memory.Array[uint16](n+m) + memory.Array[placed](n+m)
	return int64(workers) * (memory.Array[float32](directionBlock, n+m+k) + sorted)
}

// SlicedIntervalBytes is the memory in which SlicedWassersteinInterval works: all resamples' rows, and the distance of
// each resample on each direction.
func SlicedIntervalBytes(n, m, k, directions, resamples, workers int) int64 {
	return SlicedBytes(n, m, k, workers) + memory.Array[uint16](resamples, n+m) + memory.Array[float64](resamples, directions+1)
}

// OverlapBytes is the memory in which PrecisionRecall works with n and m features and k neighbours.
func OverlapBytes(n, m, k, workers int) int64 {
	sets := memory.Array[float64](3, n+m) + memory.Array[uint64](m)
	return sets + memory.Array[neighbour](max(n, m), k) + neighbourBytes(k, workers)
}

// NearestBytes is the memory in which Nearest works with n rows to find neighbours for among m.
func NearestBytes(n, m, workers int) int64 {
	return memory.Array[float64](n+m) + memory.Array[neighbour](n) + memory.Array[int](n) + memory.Array[float64](n) + neighbourBytes(1, workers)
}

// neighbourBytes is what workers find neighbours in, where float32 tells most distances apart.
func neighbourBytes(k, workers int) int64 {
	return tileBytes(workers) + memory.Array[neighbour](workers, tileRows, crowd) + memory.Array[float64](workers, tileRows, k)
}
