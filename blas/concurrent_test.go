package blas

import (
	"math"
	"sync"
	"testing"
)

// jobs are products of both kinds, by factors that all callers share.
type jobs struct {
	read, packed *product // the second's left factor is packed
	factored     *product
	factor       Factor
	bias         []float32
}

func newJobs() *jobs {
	s := newSource(1)
	j := &jobs{
		read:   s.product(N, T, 40, 72, 50),
		packed: s.wide(s.product(T, N, 33, 65, 20), 2048),
	}
	j.factored, j.bias = s.factored(T, [3]int{50, 70, 40}, true)
	j.factor.Set(T, j.factored.b)
	return j
}

// done is what the products make.
func (j *jobs) done() (all []Matrix) {
	return []Matrix{j.read.done(), j.packed.done(), j.factored.mul(&j.factor, j.bias)}
}

// noIdle forgets the workspaces of earlier products.
func noIdle() { idle.list = nil }

// TestWorkspaces: concurrent products have workspaces of their own, successive ones share one.
func TestWorkspaces(t *testing.T) {
	noIdle()
	first := takeWorkspace()
	first.release()
	a, b := takeWorkspace(), takeWorkspace()
	if a != first || b == a {
		t.Errorf("workspaces %p, then %p and %p", first, a, b)
	}
	a.release()
	b.release()
	if c := takeWorkspace(); c != b {
		t.Errorf("workspace %p, want %p, which was used last", c, b)
	}
	noIdle()
}

// TestConcurrent: products of many goroutines at once, also by one factor, have the bits that they
// have alone.
func TestConcurrent(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		j := newJobs()
		want := j.done()
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for range 10 {
					for which, c := range j.done() {
						for i, v := range c.Data {
							if math.Float32bits(v) != math.Float32bits(want[which].Data[i]) {
								t.Errorf(
									"product %d, number %d is %v, alone %v", which, i, v,
									want[which].Data[i],
								)
								return
							}
						}
					}
				}
			})
		}
		callers.Wait()
	})
}
