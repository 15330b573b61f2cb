package particle

import "github.com/plume-ml/plume/trainer/memory"

// Bytes is the memory of a cloud of n particles of d numbers for each of m datapoints, as NewCloud
// makes it. Of NewFileCloud's, FileBytes lie on disk.
func Bytes(m, n, d int, momentum bool) int64 {
	return FileBytes(m, n, d, momentum) + memory.Array[uint32](m)
}

// BatchBytes is the memory of NewBatch(rows): positions, velocities and the drift's two parts; of
// each row its address, step size and square.
func BatchBytes(rows, d int, momentum bool) int64 {
	return int64(2+arrays(momentum))*memory.Array[float32](rows, d) + memory.Array[uint64](rows) +
		memory.Array[float32](rows, 2)
}

// arrays counts positions and velocities.
func arrays(momentum bool) int {
	if momentum {
		return 2
	}
	return 1
}
