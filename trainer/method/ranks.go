package method

import (
	"cmp"

	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// ranks is what a rank says to the others (package comm). After an error it says no more: the
// numbers that it returns then mean nothing, and err must be looked at before they are used.
type ranks struct {
	comm  comm.Comm
	clock *phase.Clock
	err   error

	parts   []float64   // of all lanes
	each    [][]float64 // the same, by lane
	waiting chan error
}

// comm is the setup's, or that of a single rank.
func (s *Setup) comm() comm.Comm {
	if s.Comm == nil {
		return comm.Alone{}
	}
	return s.Comm
}

// several reports whether there are other ranks.
func (r *ranks) several() bool { return r.comm.Size() > 1 }

// exchange makes a call that waits for the other ranks.
func (r *ranks) exchange(call func() error) {
	if r.err == nil && r.several() {
		now := r.clock.Enter(phase.Exchange)
		r.err = call()
		now.End()
	}
}

// gather returns n numbers of each lane of all ranks, one lane after the other. fill sets those of
// own lane i, whose datapoints in the rank's part of the minibatch are from to end.
func (l *lanes) gather(n int, fill func(i, from, end int, part []float64)) []float64 {
	l.parts = grown(l.parts, n*l.all)
	from := 0
	for i, end := range l.ends {
		part := l.parts[(l.first+i)*n:][:n]
		clear(part)
		fill(i, from, end, part)
		from = end
	}
	l.exchange(func() error { return l.comm.Gather(l.parts) })
	return l.parts
}

// sum returns the sums of n numbers over all lanes, along their tree. It is valid until the next
// call.
func (l *lanes) sum(n int, fill func(i, from, end int, part []float64)) []float64 {
	parts := l.gather(n, fill)
	l.each = l.each[:0]
	for i := range l.all {
		l.each = append(l.each, parts[i*n:(i+1)*n])
	}
	comm.Add(l.each)
	return l.each[0]
}

func grown(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	return x[:n]
}

// firstOf returns the same fault on all ranks: that of the first search which finds one anywhere,
// on the first rank where it does. It is nil if none finds one.
func (r *ranks) firstOf(searches ...func() *Fault) *Fault {
	at, fault := search(searches)
	if !r.several() {
		return fault
	}
	found := make([]float64, r.comm.Size())
	found[r.comm.Rank()] = float64(at)
	r.exchange(func() error { return r.comm.Gather(found) })
	root := 0
	for rank, at := range found {
		if at < found[root] {
			root = rank
		}
	}
	if int(found[root]) == len(searches) {
		return nil
	}
	r.exchange(func() (err error) {
		fault, err = comm.Share(r.comm, fault, root)
		return err
	})
	return fault
}

// fault is f as an error, unless the ranks could not agree on it.
func (r *ranks) fault(f *Fault) error {
	if r.err != nil {
		return r.err
	}
	return f
}

// search makes the searches one after the other until one finds a fault, and returns its number.
func search(searches []func() *Fault) (at int, fault *Fault) {
	for at, search := range searches {
		if f := search(); f != nil {
			return at, f
		}
	}
	return len(searches), nil
}

// agree returns an error on all ranks if one of them has one (comm.Agree).
func (r *ranks) agree(own error) (agreed error) {
	if !r.several() {
		return own
	}
	r.exchange(func() (err error) {
		agreed, err = comm.Agree(r.comm, own)
		return err
	})
	return cmp.Or(r.err, agreed)
}

// learn computes the gradients by the weights over the last wave, adds up those of all ranks, and
// does with them what the lessons say. other is done beside it.
//
// On a single rank all is one phase. Otherwise the ranks add up the gradient of one network while
// the workers compute that of the next one, and make the optimiser's step of the one before.
func (l *lanes) learn(p *pool.Pool, w wave, lessons []lesson, other pool.Group) {
	groups := [4]pool.Group{other}
	if !l.several() {
		for i, one := range lessons {
			groups[i+1] = one.whole(w)
		}
		p.Run(groups[1], groups[2], groups[3], groups[0])
		return
	}
	for i, one := range lessons {
		groups[0] = one.reduce(w, one.each)
		if groups[1] = (pool.Group{}); i == len(lessons)-1 && i > 0 {
			groups[1] = other
		}
		p.Run(groups[0], groups[1])
		l.wait()
		l.begin(one.g)
		switch {
		case i > 0:
			p.Run(lessons[i-1].rest())
		case len(lessons) == 1:
			p.Run(other)
		}
	}
	l.wait()
	if len(lessons) == 0 {
		p.Run(other)
		return
	}
	if l.err == nil {
		p.Run(lessons[len(lessons)-1].rest())
	}
}

// begin begins to add up the gradients of the ranks.
func (l *lanes) begin(g []float32) {
	if l.err != nil || len(g) == 0 {
		return
	}
	l.waiting = make(chan error, 1)
	go func() { l.waiting <- l.comm.SumTree(g) }()
}

// wait waits for the sum that was begun.
func (l *lanes) wait() {
	if l.waiting == nil {
		return
	}
	now := l.clock.Enter(phase.Exchange)
	err := <-l.waiting
	now.End()
	l.waiting = nil
	l.err = cmp.Or(l.err, err)
}
