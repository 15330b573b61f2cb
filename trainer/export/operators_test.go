package export

import (
	"fmt"
	"math"
)

// array is a row-major array of an ONNX graph.
type array struct {
	dims []int
	x    []float64
}

// computes has the operators of ONNX that exports use, written from their specification for the
// attributes that occur.
var computes = map[string]func(o operation, in []array) []array{
	"Identity": func(_ operation, in []array) []array { return in },
	"Sigmoid":  each(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }),
	"Sqrt":     each(math.Sqrt), "Sin": each(math.Sin), "Cos": each(math.Cos),
	"Neg": each(func(x float64) float64 { return -x }),
	"Clip": func(o operation, in []array) []array {
		return each(func(x float64) float64 { return min(in[2].x[0], max(in[1].x[0], x)) })(o, in)
	},
	"Add": pairs(func(a, b float64) float64 { return a + b }),
	"Sub": pairs(func(a, b float64) float64 { return a - b }),
	"Mul": pairs(func(a, b float64) float64 { return a * b }),
	"Div": pairs(func(a, b float64) float64 { return a / b }),

	"Gemm": gemm, "MatMul": matMul, "Conv": conv, "Softmax": softmax, "ReduceMean": reduceMean,
	"Reshape": reshape, "Transpose": permute, "Slice": slice, "Split": split, "Concat": concat,
	"DepthToSpace": depthToSpace, "SpaceToDepth": spaceToDepth,
}

func each(f func(float64) float64) func(operation, []array) []array {
	return func(_ operation, in []array) []array {
		out := array{in[0].dims, make([]float64, len(in[0].x))}
		for i, v := range in[0].x {
			out.x[i] = f(v)
		}
		return []array{out}
	}
}

// at is the element at an index, whose leading dimensions the array may lack and whose others it
// may have once for all.
func (a array) at(index []int) float64 {
	index = index[len(index)-len(a.dims):]
	at := 0
	for k, d := range a.dims {
		at *= d
		if d > 1 {
			at += index[k]
		}
	}
	return a.x[at]
}

// fill makes an array of what f says of each index.
func fill(dims []int, f func(index []int) float64) array {
	out := array{dims, make([]float64, product(dims))}
	index := make([]int, len(dims))
	for i := range out.x {
		rest := i
		for k := len(dims) - 1; k >= 0; k-- {
			index[k], rest = rest%dims[k], rest/dims[k]
		}
		out.x[i] = f(index)
	}
	return out
}

func pairs(f func(a, b float64) float64) func(operation, []array) []array {
	return func(_ operation, in []array) []array {
		a, b := in[0], in[1]
		rank := max(len(a.dims), len(b.dims))
		dims := make([]int, rank)
		for k := range dims {
			dims[k] = 1
			for _, v := range in {
				if j := k - rank + len(v.dims); j >= 0 {
					dims[k] = max(dims[k], v.dims[j])
				}
			}
		}
		return []array{fill(dims, func(i []int) float64 { return f(a.at(i), b.at(i)) })}
	}
}

// must panics unless an attribute has the value that the code here is for.
func (o operation) must(name string, value int) {
	if got := o.ints[name]; len(got) != 1 || got[0] != value {
		panic(fmt.Sprintf("%s: %s = %v, expected %d", o.op, name, got, value))
	}
}

func gemm(o operation, in []array) []array {
	o.must("transB", 1)
	x, w, bias := in[0], in[1], in[2]
	return []array{fill([]int{x.dims[0], w.dims[0]}, func(i []int) float64 {
		sum := bias.x[i[1]]
		for k := range w.dims[1] {
			sum += x.at([]int{i[0], k}) * w.at([]int{i[1], k})
		}
		return sum
	})}
}

func matMul(_ operation, in []array) []array { // of n x heads matrices
	a, b := in[0], in[1]
	return []array{fill([]int{a.dims[0], a.dims[1], a.dims[2], b.dims[3]}, func(i []int) float64 {
		sum := 0.0
		for k := range a.dims[3] {
			sum += a.at([]int{i[0], i[1], i[2], k}) * b.at([]int{i[0], i[1], k, i[3]})
		}
		return sum
	})}
}

func conv(o operation, in []array) []array {
	x, w, bias := in[0], in[1], in[2]
	h, wide := x.dims[2], x.dims[3]
	top, left := 0, 0
	if pads := o.ints["pads"]; pads != nil {
		top, left = pads[0], pads[1]
	}
	return []array{fill([]int{x.dims[0], w.dims[0], h, wide}, func(i []int) float64 {
		sum := bias.x[i[1]]
		for c := range w.dims[1] {
			for kh := range w.dims[2] {
				for kw := range w.dims[3] {
					r, s := i[2]+kh-top, i[3]+kw-left
					if r >= 0 && r < h && s >= 0 && s < wide {
						sum += x.at([]int{i[0], c, r, s}) * w.at([]int{i[1], c, kh, kw})
					}
				}
			}
		}
		return sum
	})}
}

func softmax(o operation, in []array) []array {
	o.must("axis", -1)
	out := array{in[0].dims, make([]float64, len(in[0].x))}
	n := out.dims[len(out.dims)-1]
	for lo := 0; lo < len(out.x); lo += n {
		sum := 0.0
		for i := lo; i < lo+n; i++ {
			out.x[i] = math.Exp(in[0].x[i])
			sum += out.x[i]
		}
		for i := lo; i < lo+n; i++ {
			out.x[i] /= sum
		}
	}
	return []array{out}
}

func reduceMean(o operation, in []array) []array {
	o.must("keepdims", 1)
	dims, n := append([]int(nil), in[0].dims...), 1
	for _, axis := range o.ints["axes"] {
		n *= dims[axis]
		dims[axis] = 1
	}
	out := array{dims, make([]float64, product(dims))}
	fill(in[0].dims, func(i []int) float64 {
		at := 0
		for k, d := range dims {
			at *= d
			if d > 1 {
				at += i[k]
			}
		}
		out.x[at] += in[0].at(i) / float64(n)
		return 0
	})
	return []array{out}
}

func reshape(_ operation, in []array) []array {
	dims, rest := make([]int, len(in[1].x)), -1
	for k, v := range in[1].x {
		switch dims[k] = int(v); dims[k] {
		case 0:
			dims[k] = in[0].dims[k]
		case -1:
			rest, dims[k] = k, 1
		}
	}
	if rest >= 0 {
		dims[rest] = len(in[0].x) / product(dims)
	}
	return []array{{dims, in[0].x}}
}

func permute(o operation, in []array) []array {
	perm := o.ints["perm"]
	dims := make([]int, len(perm))
	for k, axis := range perm {
		dims[k] = in[0].dims[axis]
	}
	from := make([]int, len(perm))
	return []array{fill(dims, func(i []int) float64 {
		for k, axis := range perm {
			from[axis] = i[k]
		}
		return in[0].at(from)
	})}
}

// cut is indices lo to hi of an axis.
func cut(a array, axis, lo, hi int) array {
	dims := append([]int(nil), a.dims...)
	dims[axis] = hi - lo
	return fill(dims, func(i []int) float64 {
		from := append([]int(nil), i...)
		from[axis] += lo
		return a.at(from)
	})
}

func slice(_ operation, in []array) []array {
	return []array{cut(in[0], int(in[3].x[0]), int(in[1].x[0]), int(in[2].x[0]))}
}

func split(o operation, in []array) (out []array) {
	o.must("axis", 1)
	n := in[0].dims[1] / len(o.out)
	for k := range o.out {
		out = append(out, cut(in[0], 1, k*n, (k+1)*n))
	}
	return out
}

func concat(o operation, in []array) []array {
	o.must("axis", 1)
	dims := append([]int(nil), in[0].dims...)
	dims[1] = 0
	for _, a := range in {
		dims[1] += a.dims[1]
	}
	return []array{fill(dims, func(i []int) float64 {
		from := append([]int(nil), i...)
		for _, a := range in {
			if from[1] < a.dims[1] {
				return a.at(from)
			}
			from[1] -= a.dims[1]
		}
		panic("beyond")
	})}
}

func depthToSpace(o operation, in []array) []array {
	o.must("blocksize", 2)
	if o.text["mode"] != "DCR" {
		panic("another mode than DCR")
	}
	d := in[0].dims
	c := d[1] / 4
	return []array{fill([]int{d[0], c, 2 * d[2], 2 * d[3]}, func(i []int) float64 {
		block := i[2]%2*2 + i[3]%2
		return in[0].at([]int{i[0], block*c + i[1], i[2] / 2, i[3] / 2})
	})}
}

func spaceToDepth(o operation, in []array) []array {
	o.must("blocksize", 2)
	d := in[0].dims
	return []array{fill([]int{d[0], 4 * d[1], d[2] / 2, d[3] / 2}, func(i []int) float64 {
		block, c := i[1]/d[1], i[1]%d[1]
		return in[0].at([]int{i[0], c, 2*i[2] + block/2, 2*i[3] + block%2})
	})}
}
