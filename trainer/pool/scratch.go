package pool

// Each calls task(0) .. task(n-1), each once: on the workers of p or, if p is nil, one after the
// other on the caller's goroutine.
func Each(p *Pool, n int, task func(i int)) {
	if p != nil {
		p.Run(Group{N: n, Do: task})
		return
	}
	for i := range n {
		task(i)
	}
}

// Scratch is the memory that tasks work in: one value for each task that runs at the same time.
type Scratch[T any] chan T

// NewScratch makes as many values as p has workers; one if p is nil.
func NewScratch[T any](p *Pool, make1 func() T) Scratch[T] {
	n := 1
	if p != nil {
		n = p.Workers()
	}
	values := make([]T, n)
	for i := range values {
		values[i] = make1()
	}
	return ScratchOf(values)
}

// ScratchOf shares the given values. At most as many tasks work at the same time; others wait.
func ScratchOf[T any](values []T) Scratch[T] {
	s := make(Scratch[T], len(values))
	for _, v := range values {
		s <- v
	}
	return s
}

// Use calls task with a value that no other task has meanwhile.
func (s Scratch[T]) Use(task func(value T)) {
	value := <-s
	defer func() { s <- value }()
	task(value)
}
