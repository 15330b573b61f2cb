package main

import (
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/reg"
)

// pressure counts the vector registers in use while a stretch is scheduled.
type pressure struct {
	uses map[reg.ID]int  // reads still to come
	live map[reg.ID]bool // in a register now
}

// newPressure: what a stretch reads before writing it stays in its register to the end, since
// a loop may need it again.
func newPressure(ts []*task) *pressure {
	p := &pressure{map[reg.ID]int{}, map[reg.ID]bool{}}
	written := map[reg.ID]bool{}
	for _, t := range ts {
		for _, r := range t.reads {
			if !isVector(r) {
				continue
			}
			p.uses[r]++
			if !written[r] {
				p.live[r] = true
				p.uses[r] += len(ts)
			}
		}
		for _, r := range t.writes {
			written[r] = true
		}
	}
	return p
}

func isVector(r reg.ID) bool { return r.Kind() == reg.KindVector }

// grows is by how many registers t would.
func (p *pressure) grows(t *task) (n int) {
	for _, r := range t.writes {
		if isVector(r) && !p.live[r] {
			n++
		}
	}
	for _, r := range distinct(t.reads) {
		if isVector(r) && p.uses[r] == count(t.reads, r) && count(t.writes, r) == 0 {
			n--
		}
	}
	return n
}

func (p *pressure) issue(t *task) {
	for _, r := range t.writes {
		if isVector(r) {
			p.live[r] = true
		}
	}
	for _, r := range t.reads {
		if p.uses[r]--; p.uses[r] <= 0 && count(t.writes, r) == 0 {
			delete(p.live, r)
		}
	}
}

func distinct(rs []reg.ID) (out []reg.ID) {
	for _, r := range rs {
		if count(out, r) == 0 {
			out = append(out, r)
		}
	}
	return out
}

func count(rs []reg.ID, r reg.ID) (n int) {
	for _, x := range rs {
		if x == r {
			n++
		}
	}
	return n
}

// order is the schedule: in every cycle, of the instructions that are ready, those with the longest
// chains behind them; but where registers run short, the first in the old order that frees one or
// needs none, ready or not.
func (s scheduler) order(is []*ir.Instruction) (out []*ir.Instruction) {
	ts := tasks(is)
	p := newPressure(ts)
	done := map[*task]bool{}
	for cycle := 0; len(out) < len(ts); cycle++ {
		for range s.width {
			t := s.choose(ts, done, p, cycle)
			if t == nil {
				break
			}
			done[t] = true
			p.issue(t)
			for _, e := range t.after {
				e.to.waits--
				e.to.ready = max(e.to.ready, cycle+e.latency)
			}
			out = append(out, t.Instruction)
		}
	}
	return out
}

// choose is the next instruction of a cycle, nil if nothing is ready.
func (s scheduler) choose(ts []*task, done map[*task]bool, p *pressure, cycle int) (best *task) {
	short := len(p.live) >= s.registers-1
	var first, fitting *task // of those that wait for nothing; fitting needs no register
	for _, t := range ts {
		if done[t] || t.waits > 0 {
			continue
		}
		fits := !short || p.grows(t) <= 0
		if first == nil {
			first = t
		}
		if fitting == nil && fits {
			fitting = t
		}
		if t.ready <= cycle && fits && (best == nil || t.path > best.path) {
			best = t
		}
	}
	if best != nil || !short {
		return best
	}
	if fitting != nil {
		return fitting
	}
	return first
}
