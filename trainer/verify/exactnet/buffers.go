package exactnet

import "github.com/plume-ml/plume/trainer/memory"

// buffers are the input and the output of a tape, of the same width.
type buffers struct {
	width   int
	in, out []float32 // rows x width
}

func newBuffers(a *memory.Arena, rows, width int) buffers {
	return buffers{
		width: width,
		in:    a.Floats(memory.Activations, rows, width),
		out:   a.Floats(memory.Activations, rows, width),
	}
}

// In implements model.Tape.
func (b *buffers) In(lo, hi int) []float32 { return b.in[lo*b.width : hi*b.width] }

// Out implements model.Tape.
func (b *buffers) Out(lo, hi int) []float32 { return b.out[lo*b.width : hi*b.width] }
