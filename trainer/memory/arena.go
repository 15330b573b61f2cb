package memory

import "github.com/plume-ml/plume/kernel"

// Purpose is what an array is there for: a part of what a training takes, as it is printed.
type Purpose int

// The purposes, in the order in which they are printed.
const (
	Parameters    Purpose = iota
	PackedWeights         // parameters laid out for products
	Gradients             // by the parameters
	Moments               // of the optimisers
	Average               // of the parameters
	Particles             // the cloud, and the rows of a minibatch
	Activations           // what lies between the input of a step and its gradients
	purposes
)

var purposeNames = [purposes]string{
	Parameters: "parameters", PackedWeights: "packed weights", Gradients: "gradients",
	Moments: "moments", Average: "average", Particles: "particles", Activations: "activations",
}

// Arena makes the arrays of what is built from it and adds up their bytes, or adds them up alone:
// so one constructor both builds and tells what it would take to build. The zero Arena makes
// arrays, and so does a nil one, which adds nothing up. An arena serves one goroutine at a time.
//
// The arrays of a counting arena are empty but not nil. What is built from it is of no use except
// to be counted, and its constructors must not look into arrays except in Fill.
type Arena struct {
	counting bool
	bytes    [purposes]int64
}

// Counting is an arena that makes nothing.
func Counting() *Arena { return &Arena{counting: true} }

// Counts tells whether the arena makes nothing.
func (a *Arena) Counts() bool { return a != nil && a.counting }

// Fill calls f, which sets the first values of arrays, if there are arrays.
func (a *Arena) Fill(f func()) {
	if !a.Counts() {
		f()
	}
}

// Parts is the bytes of each purpose, of all arrays so far.
func (a *Arena) Parts() Parts {
	parts := make(Parts, purposes)
	for p, name := range purposeNames {
		parts[p] = Part{Name: name, Bytes: a.bytes[p]}
	}
	return parts
}

// Total is the bytes of all arrays so far.
func (a *Arena) Total() int64 { return a.Parts().Total() }

// Floats is an array of the given dimensions, zeros made by [kernel.Floats].
func (a *Arena) Floats(p Purpose, dims ...int) []float32 {
	return request(a, p, kernel.Floats, dims)
}

// Float64s is an array of zeros of the given dimensions.
func (a *Arena) Float64s(p Purpose, dims ...int) []float64 {
	return request(a, p, zeros[float64], dims)
}

// Ints is an array of zeros of the given dimensions.
func (a *Arena) Ints(p Purpose, dims ...int) []int { return request(a, p, zeros[int], dims) }

// Uint32s is an array of zeros of the given dimensions.
func (a *Arena) Uint32s(p Purpose, dims ...int) []uint32 {
	return request(a, p, zeros[uint32], dims)
}

// Uint64s is an array of zeros of the given dimensions.
func (a *Arena) Uint64s(p Purpose, dims ...int) []uint64 {
	return request(a, p, zeros[uint64], dims)
}

func zeros[T any](n int) []T { return make([]T, n) }

// request counts an array and makes it, unless the arena only counts.
func request[T any](a *Arena, p Purpose, of func(n int) []T, dims []int) []T {
	if a != nil {
		a.bytes[p] = min(a.bytes[p]+Array[T](dims...), huge)
	}
	if a.Counts() {
		return []T{}
	}
	n := 1
	for _, d := range dims {
		n *= d
	}
	return of(n)
}
