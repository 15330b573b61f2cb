package main

import (
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Comments that mark a stretch to be scheduled until the file is closed.
const (
	beginMark = "schedule: begin"
	endMark   = "schedule: end"
)

func (a *amd64) interleave(first, second func()) {
	a.c.Comment(beginMark)
	first()
	second()
	a.c.Comment(endMark)
}

// scheduler orders the instructions of a stretch without jumps so that chains of operations
// overlap as far as the registers allow: the window in which a CPU looks for work is small
// against a group of noise. It issues per cycle what the CPU could, the longest chain first.
type scheduler struct {
	width     int // vector instructions a cycle
	registers int
}

// scheduler leaves registers for what lives outside the stretches. An operation on 512 bits takes a
// CPU with 256-bit units two of its slots.
func (a *amd64) scheduler() scheduler {
	if a.wide() {
		return scheduler{width: 1, registers: 28}
	}
	return scheduler{width: 4, registers: 11}
}

// run schedules the marked stretches of a function.
func (s scheduler) run(nodes []ir.Node) (out []ir.Node) {
	var stretch []*ir.Instruction
	inside := false
	flush := func() {
		for _, i := range s.order(stretch) {
			out = append(out, i)
		}
		stretch = nil
	}
	for _, n := range nodes {
		if c, ok := n.(*ir.Comment); ok && (c.Lines[0] == beginMark || c.Lines[0] == endMark) {
			flush()
			inside = c.Lines[0] == beginMark
			continue
		}
		if i, ok := n.(*ir.Instruction); ok && inside {
			stretch = append(stretch, i)
			continue
		}
		flush()
		out = append(out, n)
	}
	flush()
	return out
}

// task is an instruction with what it waits for and what waits for it.
type task struct {
	*ir.Instruction
	after         []edge
	waits         int
	ready         int // the first cycle in which it can issue
	path          int // cycles to the end of the longest chain from here
	reads, writes []reg.ID
}

type edge struct {
	to      *task
	latency int
}

// latency is about right for the CPUs of this decade; loads count what the cache takes.
func latency(i *ir.Instruction) int {
	op := i.Opcode
	n := 1
	for prefix, cycles := range map[string]int{
		"VFM": 4, "VFNM": 4, "VADDPS": 3, "VSUBPS": 3, "VMULPS": 3, "VPMUL": 3, "VSQRT": 20, "VDIV": 11,
		"VCVT": 4, "VPERM": 4, "VSHUF": 2, "VPBROADCAST": 5, "VPTEST": 4,
	} {
		if strings.HasPrefix(op, prefix) {
			n = cycles
		}
	}
	return n
}

func vectors(rs []reg.Register) (ids []reg.ID) {
	for _, r := range rs {
		ids = append(ids, r.ID())
	}
	return ids
}

// memory is the operand that an instruction reads or writes, other than constants and, by a key,
// whether two can be the same: arrays are equal or disjoint, so places at another distance differ.
func memory(i *ir.Instruction) (key int, write, ok bool) {
	for k, o := range i.Operands {
		m, is := o.(operand.Mem)
		if !is || (m.Symbol.Name != "" && m.Symbol.Static) {
			continue
		}
		stack := 0
		if m.Base == reg.StackPointer {
			stack = 1 << 30
		}
		return m.Disp + stack, k == len(i.Operands)-1, true
	}
	return 0, false, false
}

// tasks finds the dependences of a stretch.
func tasks(is []*ir.Instruction) (ts []*task) {
	lastWrite, reads := map[reg.ID]*task{}, map[reg.ID][]*task{}
	stored, loaded := map[int]*task{}, map[int][]*task{}
	for _, i := range is {
		t := &task{Instruction: i, reads: vectors(i.InputRegisters()), writes: vectors(i.OutputRegisters())}
		need := func(on *task, latency int) {
			if on != nil && on != t {
				on.after = append(on.after, edge{t, latency})
				t.waits++
			}
		}
		for _, r := range t.reads {
			if w := lastWrite[r]; w != nil {
				need(w, latency(w.Instruction))
			}
			reads[r] = append(reads[r], t)
		}
		for _, r := range t.writes {
			need(lastWrite[r], 1)
			for _, u := range reads[r] {
				need(u, 0)
			}
			lastWrite[r], reads[r] = t, nil
		}
		if key, write, ok := memory(i); ok {
			if w := stored[key]; w != nil {
				need(w, 5)
			}
			if write {
				for _, l := range loaded[key] {
					need(l, 0)
				}
				stored[key], loaded[key] = t, nil
			} else {
				loaded[key] = append(loaded[key], t)
			}
		}
		ts = append(ts, t)
	}
	for k := len(ts) - 1; k >= 0; k-- {
		t := ts[k]
		t.path = latency(t.Instruction)
		for _, e := range t.after {
			t.path = max(t.path, e.latency+e.to.path)
		}
	}
	return ts
}
