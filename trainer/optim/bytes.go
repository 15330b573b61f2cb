package optim

import "github.com/plume-ml/plume/trainer/memory"

// Bytes is the memory of an optimiser that New makes for n parameters: its moments, and the
// average.
func Bytes(kind Kind, n int, emaDecay float64) (moments, average int64) {
	one := memory.Array[float32](n)
	switch kind {
	case RMSprop:
		moments = one
	case Adam:
		moments = 2 * one
	}
	if emaDecay > 0 {
		average = one
	}
	return moments, average
}
