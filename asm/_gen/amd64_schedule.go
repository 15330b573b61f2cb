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

// scheduler leaves registers for what lives outside the stretches. A CPU with 256-bit units takes
// two of its slots for an operation on 512 bits.
func (a *amd64) scheduler() scheduler {
	if a.wide() {
		return scheduler{width: 1, registers: 26}
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

// latency is about right for the CPUs of this decade, operands in memory not counted.
func latency(i *ir.Instruction) int {
	op := i.Opcode
	n := 1
	for prefix, cycles := range map[string]int{
		"VFM": 4, "VFNM": 4, "VADDPS": 3, "VSUBPS": 3, "VMULPS": 3, "VPMUL": 3, "VSQRT": 20,
		"VDIV": 11,
		"VCVT": 4, "VPERM": 4, "VSHUF": 2, "VPBROADCAST": 5, "VPTEST": 4,
	} {
		if strings.HasPrefix(op, prefix) {
			n = cycles
		}
	}
	return n
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
	d := &dependences{
		wrote: map[reg.ID]*task{}, read: map[reg.ID][]*task{},
		stored: map[int]*task{}, loaded: map[int][]*task{},
	}
	for _, i := range is {
		t := &task{Instruction: i, reads: ids(i.InputRegisters()), writes: ids(i.OutputRegisters())}
		d.registers(t)
		d.memory(t)
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

func ids(rs []reg.Register) (ids []reg.ID) {
	for _, r := range rs {
		ids = append(ids, r.ID())
	}
	return ids
}

// dependences has, for every register and place in memory, the last instruction that wrote it
// and those that have read it since.
type dependences struct {
	wrote  map[reg.ID]*task
	read   map[reg.ID][]*task
	stored map[int]*task
	loaded map[int][]*task
}

// waitFor makes t wait for another task, if there is one.
func (t *task) waitFor(other *task, latency int) {
	if other != nil && other != t {
		other.after = append(other.after, edge{t, latency})
		t.waits++
	}
}

func (d *dependences) registers(t *task) {
	for _, r := range t.reads {
		if w := d.wrote[r]; w != nil {
			t.waitFor(w, latency(w.Instruction))
		}
		d.read[r] = append(d.read[r], t)
	}
	for _, r := range t.writes {
		t.waitFor(d.wrote[r], 1)
		for _, u := range d.read[r] {
			t.waitFor(u, 0)
		}
		d.wrote[r], d.read[r] = t, nil
	}
}

func (d *dependences) memory(t *task) {
	key, write, ok := memory(t.Instruction)
	if !ok {
		return
	}
	t.waitFor(d.stored[key], 5)
	if !write {
		d.loaded[key] = append(d.loaded[key], t)
		return
	}
	for _, l := range d.loaded[key] {
		t.waitFor(l, 0)
	}
	d.stored[key], d.loaded[key] = t, nil
}
