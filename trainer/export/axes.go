package export

import "slices"

// transposed returns the shape whose axis k is axis axes[k] of shape; without axes, the shape.
func transposed(shape, axes []int) []int {
	if axes == nil {
		return slices.Clone(shape)
	}
	out := make([]int, len(shape))
	for k, axis := range axes {
		out[k] = shape[axis]
	}
	return out
}

// inverse returns the axes that undo a transposition.
func inverse(axes []int) []int {
	if axes == nil {
		return nil
	}
	out := make([]int, len(axes))
	for k, axis := range axes {
		out[axis] = k
	}
	return out
}

// transpose copies src, of the given shape, to dst with its axes in another order; without axes it
// copies. Both are row-major.
func transpose(dst, src []float32, shape, axes []int) {
	if axes == nil {
		copy(dst, src)
		return
	}
	strides := make([]int, len(shape)) // of src, by its axes
	stride := 1
	for k := len(shape) - 1; k >= 0; k-- {
		strides[k], stride = stride, stride*shape[k]
	}
	out := transposed(shape, axes)
	index := make([]int, len(out))
	at := 0
	for i := range dst {
		dst[i] = src[at]
		for k := len(out) - 1; k >= 0; k-- {
			index[k]++
			at += strides[axes[k]]
			if index[k] < out[k] {
				break
			}
			at -= out[k] * strides[axes[k]]
			index[k] = 0
		}
	}
}
