package model

import (
	"fmt"
	"slices"

	"github.com/plume-ml/plume/kernel"
)

// Param is a named array of parameters: a range of the network's flat buffer.
type Param struct {
	Name   string
	Shape  []int
	Offset int     // of its first element in the buffer
	Len    int     // number of elements
	bound  float64 // initial values are uniform in (-bound, bound]; 0: they are zero
}

// Layout says where the parameters of a network lie in one flat buffer, which optimisers, averages
// and checkpoints treat as a whole.
type Layout struct {
	params []Param
	size   int
}

// Add appends a parameter and returns its offset. Its initial values are uniform in (-bound,
// bound]: all zero if bound is 0.
func (l *Layout) Add(name string, bound float64, shape ...int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	p := Param{Name: name, Shape: shape, Offset: l.size, Len: n, bound: bound}
	l.params = append(l.params, p)
	l.size += n
	return l.size - n
}

// Clone returns a copy to which parameters can be added without changing l.
func (l *Layout) Clone() *Layout { return &Layout{params: slices.Clone(l.params), size: l.size} }

// Size is the number of float32 in the flat buffer.
func (l *Layout) Size() int { return l.size }

// Params lists the parameters in the order of their offsets.
func (l *Layout) Params() []Param { return l.params }

// View returns the named parameter's range of values, a flat buffer. It panics if there is no
// parameter of that name.
func (l *Layout) View(values []float32, name string) []float32 {
	for _, p := range l.params {
		if p.Name == name {
			return values[p.Offset : p.Offset+p.Len]
		}
	}
	panic(fmt.Sprintf("model: no parameter %q", name))
}

// Init fills values, a flat buffer, with initial parameters: parameter number k is uniform in
// (-bound, bound] from the init stream, key step net, group k << 32. The bound of a linear layer is
// 1/sqrt(inputs) for weights and biases alike; a zero-initialised layer is zero. net distinguishes
// the networks of one seed.
func (l *Layout) Init(values []float32, seed uint64, net uint32) {
	key := kernel.Key{Seed: seed, Step: net, Stream: streamInit}
	for k, p := range l.params {
		v := values[p.Offset : p.Offset+p.Len]
		if p.bound == 0 {
			clear(v)
			continue
		}
		kernel.Uniform(v, key, uint64(k)<<32)
		b := float32(p.bound)
		for i := range v {
			v[i] = b * (2*v[i] - 1)
		}
	}
}

// streamInit is the stream of the initial parameters (trainer/ALGORITHM.md, section 9).
const streamInit kernel.Stream = 1
