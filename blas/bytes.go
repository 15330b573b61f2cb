package blas

import "github.com/plume-ml/plume/kernel"

// FactorBytes is the memory that a Factor of rows x cols numbers takes besides the matrix it is set to,
// with the backend now in use.
func FactorBytes(rows, cols int) int64 {
	if active != &nativeBackend {
		return 0
	}
	_, width := kernel.TileShape()
	return 4 * int64(panelSize(rows, cols, width))
}
