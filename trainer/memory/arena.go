package memory

import "github.com/plume-ml/plume/kernel"

// Purpose is what an array is for. The memory of a training is printed by purpose.
type Purpose int

// The purposes, in the order in which they are printed.
const (
	Parameters    Purpose = iota
	PackedWeights         // parameters laid out for products
	Gradients             // by the parameters
	Moments               // of the optimisers
	Average               // of the parameters
	Particles             // the cloud, and the rows of a minibatch
	Activations           // intermediate values of a step, between its input and its gradients
	purposes
)

var purposeNames = [purposes]string{
	Parameters: "parameters", PackedWeights: "packed weights", Gradients: "gradients",
	Moments: "moments", Average: "average", Particles: "particles", Activations: "activations",
}

// Arena makes arrays and adds up their bytes, or only adds up the bytes. A constructor that takes
// all of its arrays from an arena can thus build an object, or count the memory it would need. The
// zero Arena makes arrays, and so does a nil one, which does not count. An arena must not be used
// by two goroutines at once.
//
// The arrays of a counting arena are empty but not nil. Objects built from one must not be used,
// and their constructors must not access array elements except in Fill.
type Arena struct {
	counting bool
	bytes    [purposes]int64
}

// Counting returns an arena that only counts.
func Counting() *Arena { return &Arena{counting: true} }

// Counts reports whether the arena only counts.
func (a *Arena) Counts() bool { return a != nil && a.counting }

// Fill calls f, which sets the initial values of arrays, unless the arena only counts.
func (a *Arena) Fill(f func()) {
	if !a.Counts() {
		f()
	}
}

// Parts returns the bytes of all arrays so far, by purpose.
func (a *Arena) Parts() Parts {
	parts := make(Parts, purposes)
	for p, name := range purposeNames {
		parts[p] = Part{Name: name, Bytes: a.bytes[p]}
	}
	return parts
}

// Total returns the bytes of all arrays so far.
func (a *Arena) Total() int64 { return a.Parts().Total() }

// Floats returns an array of zeros of the given dimensions, made by [kernel.Floats].
func (a *Arena) Floats(p Purpose, dims ...int) []float32 {
	return request(a, p, kernel.Floats, dims)
}

// Float64s returns an array of zeros of the given dimensions.
func (a *Arena) Float64s(p Purpose, dims ...int) []float64 {
	return request(a, p, zeros[float64], dims)
}

// Ints returns an array of zeros of the given dimensions.
func (a *Arena) Ints(p Purpose, dims ...int) []int { return request(a, p, zeros[int], dims) }

// Uint32s returns an array of zeros of the given dimensions.
func (a *Arena) Uint32s(p Purpose, dims ...int) []uint32 {
	return request(a, p, zeros[uint32], dims)
}

// Uint64s returns an array of zeros of the given dimensions.
func (a *Arena) Uint64s(p Purpose, dims ...int) []uint64 {
	return request(a, p, zeros[uint64], dims)
}

// Bools returns an array of the given dimensions, all false.
func (a *Arena) Bools(p Purpose, dims ...int) []bool { return request(a, p, zeros[bool], dims) }

func zeros[T any](n int) []T { return make([]T, n) }

// request counts an array, and makes it unless the arena only counts.
func request[T any](a *Arena, p Purpose, makeArray func(n int) []T, dims []int) []T {
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
	return makeArray(n)
}
