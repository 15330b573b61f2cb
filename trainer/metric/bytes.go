package metric

import "github.com/plume-ml/plume/trainer/memory"

// PCABytes is the memory that a PCA of k components of dim values holds. Like FitBytes and DistanceBytes,
// it is 0 for images that FitPCA refuses as too large.
func PCABytes(dim, k int) int64 {
	if dim > maxPCADim {
		return 0
	}
	return memory.Array[float64](dim, k+1) + memory.Array[float64](k)
}

// FitBytes is the memory in which FitPCA works, beside the PCA: the covariance, whose place the
// eigenvectors take, and a block of images in both precisions. The decomposition's own is as much as
// some dozens of rows of the covariance.
func FitBytes(m, dim int) int64 {
	if dim > maxPCADim {
		return 0
	}
	return memory.Array[float64](dim, dim+1+syevRows) + blockBytes(m, dim)
}

// syevRows is how many rows of the matrix the decomposition works in: LAPACK's block and two.
const syevRows = 34

// DistanceBytes is the memory in which PCA.Distance works with n samples: a block of images, and
// the samples' coordinates.
func DistanceBytes(n, dim, k int) int64 {
	if dim > maxPCADim {
		return 0
	}
	return memory.Array[float64](n, k) + blockBytes(n, dim) + gaussianBytes(n, k) + rootsBytes(n, k, k)
}

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

// blockBytes is the memory of a block of images in both precisions.
func blockBytes(m, dim int) int64 {
	rows := min(blockRows, m)
	return memory.Array[float32](rows, dim) + memory.Array[float64](rows, dim) + memory.Array[int](rows)
}

// pngBytes is what the encoder of a PNG works in, most of it the tables of the compression.
const pngBytes = 1 << 20

// GridBytes is the memory in which WriteGrid draws n images, cols to a row.
func GridBytes(shape Shape, n, cols int) int64 {
	_, height := shape.tileSize()
	rows := (n + cols - 1) / cols
	return pictureBytes(shape, min(n, cols), rows*(height+separator)+separator)
}

// PairsBytes is the memory in which WritePairs draws n images and as many below them.
func PairsBytes(shape Shape, n, cols int) int64 {
	_, height := shape.tileSize()
	rows := (n + cols - 1) / cols
	return pictureBytes(shape, min(n, cols), rows*(2*height+separator+pairGap)-pairGap+2*separator)
}

func pictureBytes(shape Shape, cols, height int) int64 {
	width, _ := shape.tileSize()
	channels := 1
	if shape.C == 3 {
		channels = 4 // with opacity
	}
	return memory.Array[uint8](separator+cols*(width+separator), height, channels) + pngBytes
}
