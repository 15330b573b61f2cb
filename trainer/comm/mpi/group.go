package mpi

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/comm"
)

// message is what this rank sends to another one, or what it receives.
type message struct {
	peer int
	data []byte
	out  bool // it is sent
}

// link carries messages.
type link interface {
	// exchange sends and receives all messages at once, of which one at most comes from each rank,
	// and returns when all have arrived. Those between two ranks arrive in the order in which they
	// are sent. The tag goes with each; what comes with another tag, or in another length than
	// expected, is left where it is, and the exchange ends with a *surprise. After an error nothing
	// more can be exchanged.
	exchange(tag int, all []message) error
}

// group is a rank among others, and the algorithms of its calls.
type group struct {
	link
	rank, size int
	direct     int // Options.Direct

	calls    int // so far
	messages []message
	parts    [][]float32 // a summand of each rank
	blocks   [][]float32 // the same, a block of them
	room     []float32   // for what others send
	spans    [][2]int    // of a halved vector
}

func newGroup(l link, rank, size, direct int) *group {
	return &group{link: l, rank: rank, size: size, direct: direct,
		parts: make([][]float32, size), blocks: make([][]float32, size)}
}

// kind says which call a message belongs to.
type kind int

const (
	sumTree kind = iota
	gather
	broadcast
	barrier
	closing
	opening
)

func (k kind) String() string {
	return [...]string{"SumTree", "Gather", "Broadcast", "Barrier", "Close", "Open", "", ""}[k&7]
}

// next begins a call and returns its tag, of 15 bits, which are the least that an MPI has: the
// kind, the last bits of its length or root, and of the number of calls.
func (g *group) next(k kind, size int) int {
	g.calls++
	return int(k) | size&15<<3 | g.calls&255<<7
}

// surprise is a message other than the one that was expected.
type surprise struct {
	peer, tag, bytes    int // what arrived
	wantTag, wantLength int
}

// explain says what is wrong with a message, for the caller's rank.
func (e *surprise) explain(rank int, name func(int) string) error {
	theirs, ours := kind(e.tag&7), kind(e.wantTag&7)
	switch {
	case theirs == closing && ours != closing:
		return fmt.Errorf("%w: %s waits", &comm.Left{Rank: e.peer}, name(rank))
	case ours == closing && theirs != closing: // the one that leaves may see it first
		return fmt.Errorf("%w: %s waits", &comm.Left{Rank: rank}, name(e.peer))
	case theirs != ours:
		return fmt.Errorf("%s calls %v while %s calls %v", name(e.peer), theirs, name(rank), ours)
	case e.tag>>7 != e.wantTag>>7:
		return fmt.Errorf("%s makes another of its calls of %v than %s", name(e.peer), theirs,
			name(rank))
	case ours == broadcast && e.tag != e.wantTag:
		return fmt.Errorf("%s calls Broadcast with another root than %s", name(e.peer), name(rank))
	}
	return fmt.Errorf("%s calls %v of another length than %s: %d bytes came where %d were "+
		"expected", name(e.peer), theirs, name(rank), e.bytes, e.wantLength)
}

func (e *surprise) Error() string {
	return fmt.Sprintf("a message of %d bytes with tag %d from rank %d, expected %d bytes with "+
		"tag %d", e.bytes, e.tag, e.peer, e.wantLength, e.wantTag)
}

// bytesOf are the bytes of a slice of numbers.
func bytesOf[T float32 | float64 | int64](x []T) []byte {
	if len(x) == 0 {
		return nil
	}
	var number T
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*int(unsafe.Sizeof(number)))
}

// others calls f for all other ranks, the next one first, so that not all send to one at once.
func (g *group) others(f func(peer int)) {
	for i := 1; i < g.size; i++ {
		f((g.rank + i) % g.size)
	}
}

func (g *group) send(peer int, data []byte) {
	g.messages = append(g.messages, message{peer, data, true})
}

func (g *group) receive(peer int, data []byte) {
	g.messages = append(g.messages, message{peer, data, false})
}

// swap exchanges the messages that send and receive have collected.
func (g *group) swap(tag int) error {
	err := g.exchange(tag, g.messages)
	clear(g.messages)
	g.messages = g.messages[:0]
	return err
}

// space is room for n numbers of others.
func (g *group) space(n int) []float32 {
	g.room = slices.Grow(g.room[:0], n)[:n]
	return g.room
}

// powerOfTwo says whether ranks can be paired at every distance.
func (g *group) powerOfTwo() bool { return g.size&(g.size-1) == 0 }

func (g *group) sumTree(x []float32) error {
	tag := g.next(sumTree, len(x))
	if g.size > g.direct && g.powerOfTwo() {
		return g.sumByHalves(tag, x)
	}
	return g.sumDirect(tag, x)
}

// sumDirect sends each rank its part of x, adds what came for the own part, and sends that to all.
func (g *group) sumDirect(tag int, x []float32) error {
	lo, hi := comm.Block(len(x), g.size, g.rank)
	own, room := x[lo:hi], g.space((g.size-1)*(hi-lo))
	g.parts[g.rank] = own
	g.others(func(peer int) {
		first, last := comm.Block(len(x), g.size, peer)
		g.send(peer, bytesOf(x[first:last]))
		g.parts[peer], room = room[:len(own)], room[len(own):]
		g.receive(peer, bytesOf(g.parts[peer]))
	})
	if err := g.swap(tag); err != nil {
		return err
	}
	g.addParts()
	if g.rank > 0 {
		copy(own, g.parts[0])
	}
	g.others(func(peer int) {
		first, last := comm.Block(len(x), g.size, peer)
		g.send(peer, bytesOf(own))
		g.receive(peer, bytesOf(x[first:last]))
	})
	return g.swap(tag)
}

// addParts adds the parts of all ranks into the first. A block of all stays in a core's cache.
func (g *group) addParts() {
	block := max(1024, 1<<17/g.size)
	for lo := 0; lo < len(g.parts[0]); lo += block {
		for r, part := range g.parts {
			g.blocks[r] = part[lo:min(lo+block, len(part))]
		}
		comm.Add(g.blocks)
	}
}

// sumByHalves adds pairs of ranks, then pairs of pairs, as the tree does. Each rank of a pair adds
// one half of what both have and leaves the other one to its peer; on the way back they swap what
// they have.
func (g *group) sumByHalves(tag int, x []float32) error {
	g.spans = g.spans[:0]
	lo, hi := 0, len(x)
	for d := 1; d < g.size; d *= 2 {
		g.spans = append(g.spans, [2]int{lo, hi})
		mid, peer := lo+(hi-lo)/2, g.rank^d
		if g.rank < peer {
			g.send(peer, bytesOf(x[mid:hi]))
			hi = mid
		} else {
			g.send(peer, bytesOf(x[lo:mid]))
			lo = mid
		}
		theirs := g.space(hi - lo)
		g.receive(peer, bytesOf(theirs))
		if err := g.swap(tag); err != nil {
			return err
		}
		kernel.Add(x[lo:hi], theirs) // a sum of two does not depend on their order
	}
	for d := g.size / 2; d > 0; d /= 2 {
		whole, peer := g.spans[len(g.spans)-1], g.rank^d
		g.spans = g.spans[:len(g.spans)-1]
		g.send(peer, bytesOf(x[lo:hi]))
		if g.rank < peer {
			g.receive(peer, bytesOf(x[hi:whole[1]]))
		} else {
			g.receive(peer, bytesOf(x[whole[0]:lo]))
		}
		if err := g.swap(tag); err != nil {
			return err
		}
		lo, hi = whole[0], whole[1]
	}
	return nil
}

// gather takes log2 steps, in each of which a rank swaps all that it has, or one step in which each
// sends to each. Its parts are small.
func (g *group) gather(x []float64) error {
	tag, n := g.next(gather, len(x)), len(x)/g.size
	if g.size <= 8 || !g.powerOfTwo() {
		g.others(func(peer int) {
			g.send(peer, bytesOf(x[g.rank*n:(g.rank+1)*n]))
			g.receive(peer, bytesOf(x[peer*n:(peer+1)*n]))
		})
		return g.swap(tag)
	}
	for d := 1; d < g.size; d *= 2 {
		mine := g.rank &^ (d - 1) // the first of d ranks whose parts are here
		theirs := mine ^ d
		g.send(g.rank^d, bytesOf(x[mine*n:(mine+d)*n]))
		g.receive(g.rank^d, bytesOf(x[theirs*n:(theirs+d)*n]))
		if err := g.swap(tag); err != nil {
			return err
		}
	}
	return nil
}

// broadcast goes down a binomial tree of the ranks, counted from the root. A rank that has the data
// sends its length and then the data to those below.
func (g *group) broadcast(x []byte, root int) ([]byte, error) {
	tag := g.next(broadcast, root)
	place := (g.rank - root + g.size) % g.size
	reach := 1 // ranks at distances below it are this one's to serve
	for reach < g.size && place&reach == 0 {
		reach *= 2
	}
	length := []int64{int64(len(x))}
	if place > 0 {
		parent := (g.rank - reach + g.size) % g.size
		g.receive(parent, bytesOf(length))
		if err := g.swap(tag); err != nil {
			return nil, err
		}
		x = make([]byte, length[0])
		g.receive(parent, x)
		if err := g.swap(tag); err != nil {
			return nil, err
		}
	}
	for d := reach / 2; d > 0; d /= 2 {
		if place+d < g.size {
			g.send((g.rank+d)%g.size, bytesOf(length))
			g.send((g.rank+d)%g.size, x)
		}
	}
	return x, g.swap(tag)
}

// meet returns when all ranks have called it. Few ranks hear directly of each other, so that one
// which makes another call is known to all; many tell those at distances of powers of two.
func (g *group) meet(k kind) error {
	tag := g.next(k, 0)
	if g.size <= g.direct {
		g.others(func(peer int) {
			g.send(peer, nil)
			g.receive(peer, nil)
		})
		return g.swap(tag)
	}
	for d := 1; d < g.size; d *= 2 {
		g.send((g.rank+d)%g.size, nil)
		g.receive((g.rank-d+g.size)%g.size, nil)
		if err := g.swap(tag); err != nil {
			return err
		}
	}
	return nil
}
