package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Fixed registers. R18 belongs to the system and R26 to R30 to Go. The linker uses R16 and R17 in
// calls, but there are no calls here.
const (
	tableReg = 30 // V30 and V31 hold the table of lookups, in functions that have one
	constReg = 17 // R17 is the address of the file's constants
	frameReg = 25 // R25 is the address of the function's frame
)

var armGPs = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24}

// armSlots is how many slots a frame may have, far more than are ever needed.
const armSlots = 256

// armClass is what a value lives in.
type armClass int

const (
	general armClass = iota
	vector
	slot // of 16 bytes, in the frame
)

// armValue is a virtual register, or a slot of the frame.
type armValue struct {
	class      armClass
	fixed      bool       // reg is given
	words      *[4]uint32 // of a constant, which is loaded where it is needed
	pinned     bool       // must not go to memory
	defs, last int        // number and last of the instructions that write it
	// live from the first definition to the last use: 2i reads instruction i, 2i+1 is written by it
	start, end int
	hint       *armValue
	reg        int
}

// armArg is an operand, in a field of a form or in place of %D, %N, %T, %M in a text.
type armArg struct {
	field        byte
	v            *armValue
	reads, wrote bool
}

// armInstr is one instruction: a form, a text of Go's assembler, or a label.
type armInstr struct {
	form  *armForm
	text  string
	imm   int
	words *[4]uint32 // the immediate is the offset of this constant
	label string     // this place
	to    string     // where the instruction may jump
	args  []armArg
}

// armCode is the code of a function before it has registers.
type armCode struct {
	instrs  []armInstr
	slots   int // of the frame in use
	table   bool
	scratch int // bytes of the frame before the slots
}

func (c *armCode) add(i armInstr) { c.instrs = append(c.instrs, i) }

// allocate assigns registers by a linear scan, moving values to memory until it succeeds.
func (c *armCode) allocate() {
	c.forward()
	for {
		c.intervals()
		full := c.scan()
		if full == nil {
			return
		}
		c.spill(c.cheapest(full))
	}
}

// forward replaces copies by their originals where neither changes afterwards.
func (c *armCode) forward() {
	c.intervals()
	same := map[*armValue]*armValue{}
	kept := c.instrs[:0]
	for at, instr := range c.instrs {
		for k, a := range instr.args {
			if v, ok := same[a.v]; ok {
				instr.args[k].v = v
			}
		}
		if instr.form == copyVector && instr.args[0].v.defs == 1 && instr.args[1].v.last < at {
			same[instr.args[0].v] = instr.args[1].v
			continue
		}
		kept = append(kept, instr)
	}
	c.instrs = kept
}

// intervals finds where values are live: from the first to the last instruction that names them, or
// to the end of a loop in which they are used if they were made before it. It drops constants that
// no instruction reads.
func (c *armCode) intervals() {
	c.eachArg(func(_ int, a armArg) {
		*a.v = armValue{
			class: a.v.class, fixed: a.v.fixed, words: a.v.words, pinned: a.v.pinned, start: -1,
			reg: a.v.reg,
		}
	})
	c.eachArg(func(i int, a armArg) { a.v.touch(i, a) })
	before := len(c.instrs)
	c.instrs = slices.DeleteFunc(c.instrs, func(instr armInstr) bool {
		return instr.words != nil && instr.args[0].v.start == instr.args[0].v.end &&
			!instr.args[0].v.fixed
	})
	if len(c.instrs) < before {
		c.intervals()
		return
	}
	loops := c.loops()
	for again := true; again; {
		again = false
		c.eachArg(func(_ int, a armArg) {
			for _, l := range loops {
				if v := a.v; v.start < 2*l[0] && v.end >= 2*l[0] && v.end <= 2*l[1] {
					v.end, again = 2*l[1]+1, true
				}
			}
		})
	}
}

// touch records that instruction i has v as its argument a.
func (v *armValue) touch(i int, a armArg) {
	if v.start < 0 {
		if a.reads && !v.fixed {
			panic(fmt.Sprintf("instruction %d reads what nothing wrote", i))
		}
		v.start = 2*i + 1
	}
	if a.reads {
		v.end = max(v.end, 2*i)
	}
	if a.wrote {
		v.end = max(v.end, 2*i+1)
		v.defs, v.last = v.defs+1, i
	}
}

func (c *armCode) eachArg(f func(i int, a armArg)) {
	for i, instr := range c.instrs {
		for _, a := range instr.args {
			f(i, a)
		}
	}
}

// loops are the first and last instructions of loops: a label, and a jump back to it.
func (c *armCode) loops() (out [][2]int) {
	labels := map[string]int{}
	for i, instr := range c.instrs {
		if instr.label != "" {
			labels[instr.label] = i
		} else if first, ok := labels[instr.to]; ok {
			out = append(out, [2]int{first, i})
		}
	}
	return out
}

// armPools are the free registers of each class.
type armPools map[armClass]map[int]bool

func (c *armCode) pools() armPools {
	p := armPools{general: {}, vector: {}, slot: {}}
	for _, r := range armGPs {
		p[general][r] = true
	}
	for r := range 32 {
		p[vector][r] = !c.table || r < tableReg
	}
	for r := range armSlots {
		p[slot][r] = true
	}
	return p
}

// release takes back the registers of values that are not live after a point.
func (p armPools) release(live []*armValue, point int) []*armValue {
	return slices.DeleteFunc(live, func(v *armValue) bool {
		over := v.end <= point
		if over {
			p[v.class][v.reg] = true
		}
		return over
	})
}

// scan assigns registers in order of the values' first definitions. If there are too few it
// returns the vectors that are live at once.
func (c *armCode) scan() []*armValue {
	pools := c.pools()
	c.slots = 0
	var live []*armValue
	for i, instr := range c.instrs {
		live = pools.release(live, 2*i)
		for _, a := range instr.args {
			v := a.v
			if v.start != 2*i+1 || v.fixed || slices.Contains(live, v) {
				continue
			}
			if instr.form == copyVector {
				v.hint = instr.args[1].v
			}
			live = append(live, v)
			if !v.take(pools[v.class]) {
				return slices.DeleteFunc(live, func(w *armValue) bool { return w.class != v.class })
			}
			if v.class == slot {
				c.slots = max(c.slots, v.reg+1)
			}
		}
		live = pools.release(live, 2*i+1) // results that nobody reads
	}
	return nil
}

// take assigns a free register, if possible the one of the value copied.
func (v *armValue) take(pool map[int]bool) bool {
	v.reg = -1
	if v.hint != nil && pool[v.hint.reg] {
		v.reg = v.hint.reg
	} else {
		for r, free := range pool {
			if free && (v.reg < 0 || r < v.reg) {
				v.reg = r
			}
		}
	}
	if v.reg < 0 {
		return false
	}
	pool[v.reg] = false
	return true
}

// nearby is for how many instructions after its use a value loaded from memory stays in a register.
const nearby = 8

// cheapest is the value to keep in memory: the one that costs the fewest loads and stores, those in
// loops counted tenfold, over the time for which it frees a register; of several, the longest
// lived.
func (c *armCode) cheapest(live []*armValue) *armValue {
	weights := make([]float64, len(c.instrs))
	for i := range weights {
		weights[i] = 1
	}
	for _, l := range c.loops() {
		for i := l[0]; i <= l[1]; i++ {
			weights[i] *= 10
		}
	}
	var best *armValue
	least := math.Inf(1)
	for _, v := range live {
		if v.class != vector || v.pinned {
			continue
		}
		cost := c.cost(v, weights) / float64(v.end-v.start)
		if cost < least || cost == least && v.end-v.start > best.end-best.start {
			best, least = v, cost
		}
	}
	if best == nil {
		panic("out of registers")
	}
	return best
}

// cost is the weight of the loads and stores of a value in memory. A load that replaces a copy is
// free.
func (c *armCode) cost(v *armValue, weights []float64) float64 {
	sum, last := 0.0, -nearby
	for i, instr := range c.instrs {
		if instr.label != "" || instr.to != "" {
			last = -nearby
		}
		reads, wrote := instr.uses(v)
		if wrote && v.words == nil {
			sum += weights[i]
		}
		if reads && instr.form != copyVector {
			if i-last >= nearby {
				sum += weights[i]
			}
			last = i
		}
	}
	return sum
}

// uses reports whether the instruction reads and writes a value.
func (i armInstr) uses(v *armValue) (reads, wrote bool) {
	for _, a := range i.args {
		if a.v == v {
			reads, wrote = reads || a.reads, wrote || a.wrote
		}
	}
	return reads, wrote
}

// spill moves a value to memory: to a slot of the frame, or to its place among the constants.
func (c *armCode) spill(v *armValue) {
	at := []armArg{in('N', &armValue{fixed: true, reg: constReg})}
	if v.words == nil {
		at = []armArg{
			in('N', &armValue{fixed: true, reg: frameReg}), in('S', &armValue{class: slot}),
		}
	}
	load := func(w *armValue) armInstr {
		return armInstr{form: loadQ, words: v.words, args: append([]armArg{out('D', w)}, at...)}
	}
	var code []armInstr
	var loaded *armValue // the value in a register
	last := 0
	for i, instr := range c.instrs {
		if instr.label != "" || instr.to != "" || i-last >= nearby {
			loaded = nil
		}
		if instr.form == copyVector && instr.args[1].v == v {
			code = append(code, load(instr.args[0].v))
			continue
		}
		reads, wrote := instr.uses(v)
		if wrote && v.words != nil {
			continue
		}
		if reads && loaded == nil {
			loaded = &armValue{class: vector, pinned: true}
			code = append(code, load(loaded))
		}
		if wrote && !reads {
			loaded = &armValue{class: vector, pinned: true}
		}
		for k, a := range instr.args {
			if a.v == v {
				instr.args[k].v, last = loaded, i
			}
		}
		code = append(code, instr)
		if wrote {
			code = append(
				code,
				armInstr{form: storeQ, args: []armArg{in('D', loaded), at[0], out('S', at[1].v)}},
			)
		}
	}
	c.instrs = code
}

// write is the text of the code; offset places constants in their table.
func (c *armCode) write(offset func(words [4]uint32) int) string {
	var b strings.Builder
	for _, instr := range c.instrs {
		regs := map[byte]int{}
		text := instr.text
		for _, a := range instr.args {
			if a.v.class == slot {
				instr.imm = c.scratch + 16*a.v.reg
				continue
			}
			regs[a.field] = a.v.reg
			class := map[armClass]string{general: "R", vector: "F"}[a.v.class]
			text = strings.ReplaceAll(text, "%"+string(a.field), fmt.Sprint(class, a.v.reg))
		}
		if instr.words != nil {
			instr.imm = offset(*instr.words)
		}
		switch {
		case instr.label != "":
			fmt.Fprintf(&b, "\n%s:\n", instr.label)
		case instr.form == copyVector && regs['D'] == regs['N']:
		case instr.form != nil:
			b.WriteString(instr.form.encode(instr.imm, regs))
		default:
			fmt.Fprintf(&b, "\t%s\n", text)
		}
	}
	return b.String()
}
