package model

import "sync"

// idle is the passes that are not under way. The one that was released last is taken first: a cache
// may still have its memory.
type idle struct {
	sync.Mutex
	released sync.Cond
	passes   []*Pass
}

// take waits for a pass.
func (s *idle) take() *Pass {
	s.Lock()
	defer s.Unlock()
	for len(s.passes) == 0 {
		s.released.Wait()
	}
	last := len(s.passes) - 1
	p := s.passes[last]
	s.passes = s.passes[:last]
	return p
}

func (s *idle) release(p *Pass) {
	s.Lock()
	s.passes = append(s.passes, p)
	s.Unlock()
	s.released.Signal()
}
