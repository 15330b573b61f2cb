package main

import "fmt"

// neonKey is what all groups of a call share, each word in all lanes. In the first round the
// product of the step and its xors with the key are the same for every block: the upper half of
// the product ^ key, its lower half, and each stream ^ key.
type neonKey struct {
	rounds  [philoxRounds][2]*armValue // from the second on
	hi, lo  *armValue
	streams []*armValue
}

func (a *neon) philoxInit(streams ...string) {
	k := &a.f.key
	k0, w0, w1 := a.integer("seed"), a.word(philoxW0), a.word(philoxW1)
	k1 := a.copyGP(k0)
	a.shrGP(k1, 32)
	for _, name := range streams {
		stream := a.integer(name)
		a.xorGP(stream, k1)
		k.streams = append(k.streams, a.spreadWord(stream))
	}
	p := a.integer("step")
	a.mulGP(p, a.word(philoxM1))
	k.lo = a.spreadWord(p)
	a.shrGP(p, 32)
	a.xorGP(p, k0)
	k.hi = a.spreadWord(p)
	for r := range k.rounds[1:] {
		a.addScaled(k0, w0, 1)
		a.addScaled(k1, w1, 1)
		k.rounds[r+1] = [2]*armValue{a.spreadWord(k0), a.spreadWord(k1)}
	}
}

// philoxHigh has nothing to do: philoxWords takes the upper half of the number as it comes.
func (a *neon) philoxHigh(gp) {}

func (a *neon) philox(stream int, g gp) (even, odd vec) {
	w := a.philoxWords(stream, g)
	for h := range w {
		w[h].run()
	}
	return philoxBlocks(w)
}

func (a *neon) philoxNext(stream int, g gp, even, odd vec) (stretches []func(), finish func()) {
	w := a.philoxWords(stream, g)
	return []func(){w[0].run, w[1].run}, func() {
		nextEven, nextOdd := philoxBlocks(w)
		for i := range nextEven {
			a.assign(even[i], nextEven[i])
			a.assign(odd[i], nextOdd[i])
		}
	}
}

// neonWords are the words of four blocks of a group.
type neonWords struct {
	a      *neon
	blocks [4]uint32
	low    *armValue // number of the group's first block, its low word
	stream *armValue // of the key
	c      [4]part
}

// philoxWords begins the lower and the upper four blocks of a group. Its first block's number is
// a multiple of eight, so that adding a lane to the low word never carries.
func (a *neon) philoxWords(stream int, g gp) (w [2]*neonWords) {
	first := newGP()
	a.text("LSL $3, %N, %D", out('D', first), in('N', g))
	low := a.spreadWord(first)
	a.shrGP(first, 32)
	c0 := a.op2(vEOR, a.spreadWord(first), a.f.key.hi)
	for h := range w {
		n := uint32(4 * h)
		w[h] = &neonWords{
			a:      a,
			low:    low,
			stream: a.f.key.streams[stream],
			blocks: [4]uint32{n, n + 1, n + 2, n + 3},
			c:      [4]part{c0},
		}
	}
	return w
}

func (w *neonWords) run() {
	a, k := w.a, w.a.f.key
	lo, hi := a.multiply(a.op2(iADD, w.low, a.constant(w.blocks)), philoxM0)
	w.c = [4]part{w.c[0], k.lo, a.op2(vEOR, hi, w.stream), lo}
	for _, key := range k.rounds[1:] {
		lo0, hi0 := a.multiply(w.c[0], philoxM0)
		lo1, hi1 := a.multiply(w.c[2], philoxM1)
		c0 := a.op2(vEOR, a.op2(vEOR, w.c[1], key[0]), hi1)
		c2 := a.op2(vEOR, a.op2(vEOR, w.c[3], key[1]), hi0)
		w.c = [4]part{c0, lo1, c2, lo0}
	}
}

func philoxBlocks(w [2]*neonWords) (even, odd vec) {
	x, y := w[0].c, w[1].c
	return vec{x[0], y[0], x[2], y[2]}, vec{x[1], y[1], x[3], y[3]}
}

// multiply is the low and the high words of four products.
func (a *neon) multiply(x part, by uint32) (lo, hi part) {
	y := a.konstInt(by)[0]
	p, q := a.op2(product, x, y), a.op2(product2, x, y)
	return a.op2(evenS, p, q), a.op2(oddS, p, q)
}

// interleave mixes the two evenly, keeping the order within each.
func (a *neon) interleave(first, second func()) {
	x, y := a.record(first), a.record(second)
	total := len(x) + len(y)
	for i, j := 0, 0; i+j < total; {
		if j == len(y) || i < len(x) && i*len(y) <= j*len(x) {
			a.f.add(x[i])
			i++
		} else {
			a.f.add(y[j])
			j++
		}
	}
}

// record is what f emits.
func (a *neon) record(f func()) []armInstr {
	before := a.f.instrs
	a.f.instrs = nil
	f()
	emitted := a.f.instrs
	a.f.instrs = before
	return emitted
}

// halves is only another grouping of registers.
func (a *neon) halves(x, y vec) (vec, vec) {
	return vec{x[0], x[1], y[0], y[1]}, vec{x[2], x[3], y[2], y[3]}
}

// word is a constant in a general register.
func (a *neon) word(n uint64) gp {
	r := newGP()
	a.text(fmt.Sprintf("MOVD $%#x, %%D", n), out('D', r))
	return r
}

func (a *neon) xorGP(x, y gp) { a.text("EOR %N, %D", both('D', x), in('N', y)) }

// spreadWord is the low word of a general register in all lanes.
func (a *neon) spreadWord(x gp) *armValue {
	d := newVector()
	a.code(spreadGP, 0, out('D', d), in('N', x))
	return d
}
