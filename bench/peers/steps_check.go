package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
)

// tolerance bounds the deviation between two sides, relative to the root mean square of the
// compared array: the deviation's root mean square, and its largest element. Weights and biases
// are compared layer by layer. All sides compute in float32 (6e-8), with different orders of
// summation and exponentials. The moments show the gradients of the steps. Parameters, averages
// and particles are compared by their movement: Adam turns the rounding of a gradient near zero
// into a step of either sign, which can change single elements by the whole movement but hardly
// changes the root mean square. The tolerances are at least four times the worst deviations seen
// with two versions of PyTorch and one of JAX (in brackets).
type tolerance struct{ rms, largest float64 }

var (
	momentTolerance = tolerance{2e-4, 2e-2} // (5e-5, 5e-3)
	movedTolerance  = tolerance{5e-3, 3}    // (1.2e-3, 0.6)
	cloudTolerance  = tolerance{2e-5, 2e-3} // (3.2e-6, 2.7e-4)
	sampleTolerance = tolerance{4e-6, 5e-5} // (6.7e-7, 7.8e-6)

	// Of convolutions, whose gradients are sums over pixels too, and whose networks are deeper. The
	// worst are in the middle of the U-Net, where single elements of the moments are large.
	convMomentTolerance = tolerance{8e-4, 8e-2} // (2e-4, 2.1e-2)
	convMovedTolerance  = tolerance{1.2e-2, 5}  // (3e-3, 1.1)
)

// sumTolerance is for the sums of the last step. A row whose drift is at the clip may count as
// clipped on one side only.
var sumTolerance = [...]struct{ relative, absolute float64 }{{1e-5, 0}, {1e-5, 0}, {0, 1}}

// check makes a side do the recorded work in one of its ways, and compares the results.
func (r *recording) check(dir string, s *side, way string) error {
	answer, err := s.ask(fmt.Sprintf("check %s %s", r.name, way))
	if err != nil {
		return err
	}
	out, err := readFloats(filepath.Join(dir, r.name+".out"))
	if err == nil {
		err = r.compare(answer, out)
	}
	if err != nil {
		return fmt.Errorf("%s does not compute what plume does: %s %s: %w",
			s.name, r.name, way, err)
	}
	return nil
}

// compare compares the side's answer and its concatenated arrays with the recording.
func (r *recording) compare(answer string, out []float32) error {
	if err := r.compareSums(strings.Fields(answer)); err != nil {
		return err
	}
	next := func(name string) (got, want []float32, err error) {
		want = r.want[name]
		if len(out) < len(want) {
			return nil, nil, fmt.Errorf("%s: %d numbers, want %d", name, len(out), len(want))
		}
		got, out = out[:len(want)], out[len(want):]
		return got, want, nil
	}
	for _, c := range r.comparisons() {
		got, want, err := next(c.name)
		if err == nil {
			err = r.compareArray(c, got, want)
		}
		if err != nil {
			return err
		}
	}
	if len(out) > 0 {
		return fmt.Errorf("%d numbers too many", len(out))
	}
	return nil
}

func (r *recording) compareSums(words []string) error {
	if len(words) != len(r.sums)+1 || words[0] != "ok" {
		return fmt.Errorf("answer %q: want ok and %d numbers", words, len(r.sums))
	}
	for i, want := range r.sums {
		got, err := strconv.ParseFloat(words[i+1], 64)
		if err != nil {
			return err
		}
		t := sumTolerance[i]
		if !(math.Abs(got-want) <= t.relative*math.Abs(want)+t.absolute) {
			return fmt.Errorf("sum %d of the last step is %v, want %v", i, got, want)
		}
	}
	return nil
}

// compared is an array of a side's output. origin is its start, nil for zero.
type compared struct {
	name, network string
	origin        []float32
	tolerance
}

// comparisons returns the arrays in their order.
func (r *recording) comparisons() (list []compared) {
	if r.images > 0 {
		return []compared{
			{"latents", "", nil, sampleTolerance}, {"images", "", nil, sampleTolerance},
		}
	}
	moments, moved := momentTolerance, movedTolerance
	if r.config.Decoder == config.Conv {
		moments, moved = convMomentTolerance, convMovedTolerance
	}
	for _, net := range []string{"decoder", "prior"} {
		start := r.start[net+"/params"]
		list = append(list,
			compared{net + "/params", net, start, moved},
			compared{net + "/moment1", net, nil, moments},
			compared{net + "/moment2", net, nil, moments},
			compared{net + "/ema", net, start, moved})
	}
	return append(list,
		compared{"cloud/z", "", r.start["cloud/z"], cloudTolerance},
		compared{"cloud/u", "", r.start["cloud/u"], cloudTolerance})
}

// compareArray compares an array as a whole or, if it is a network, parameter by parameter.
func (r *recording) compareArray(c compared, got, want []float32) error {
	if c.network == "" {
		return c.within(c.name, got, want, c.origin)
	}
	for _, p := range r.params[c.network] {
		lo, hi := p.Offset, p.Offset+p.Len
		got, want, origin := got[lo:hi], want[lo:hi], []float32(nil)
		if c.origin != nil {
			at := felt(r.want[c.network+"/moment2"][lo:hi])
			got, want, origin = pick(got, at), pick(want, at), pick(c.origin[lo:hi], at)
		}
		if err := c.within(c.name+" "+p.Name, got, want, origin); err != nil {
			return err
		}
	}
	return nil
}

// felt returns the places where a parameter had gradients, by their squares. The others move by
// rounding alone, in either direction: attention does not feel the biases of its keys, a third of
// their array. If they were more than half, all would count.
func felt(squares []float32) (at []int) {
	var mean float64
	for _, v := range squares {
		mean += float64(v) / float64(len(squares))
	}
	const rounding = 1e-4 * 1e-4 // gradients near zero are sums whose terms cancel
	for i, v := range squares {
		if float64(v) >= rounding*mean {
			at = append(at, i)
		}
	}
	if 2*len(at) < len(squares) {
		at = at[:0]
		for i := range squares {
			at = append(at, i)
		}
	}
	return at
}

func pick(x []float32, at []int) []float32 {
	picked := make([]float32, len(at))
	for i, k := range at {
		picked[i] = x[k]
	}
	return picked
}

func (t tolerance) within(name string, got, want, origin []float32) error {
	rms, largest := deviation(got, want, origin)
	if !(rms <= t.rms && largest <= t.largest) {
		return fmt.Errorf("%s: deviations of %.2g (root mean square) and %.2g (largest), "+
			"want at most %.2g and %.2g", name, rms, largest, t.rms, t.largest)
	}
	return nil
}

// deviation is the root mean square and the largest element of got - want, over the root mean
// square of want - origin.
func deviation(got, want, origin []float32) (rms, largest float64) {
	var scale float64
	for i, w := range want {
		if origin != nil {
			w -= origin[i]
		}
		scale += float64(w) * float64(w)
		d := math.Abs(float64(got[i]) - float64(want[i]))
		rms += d * d
		largest = max(largest, d)
	}
	return math.Sqrt(rms / scale), largest / math.Sqrt(scale/float64(len(want)))
}

// writeFloats writes the concatenated arrays, little-endian.
func writeFloats(file string, arrays ...[]float32) error {
	var bytes []byte
	for _, x := range arrays {
		for _, v := range x {
			bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
		}
	}
	return os.WriteFile(file, bytes, 0o644)
}

func readFloats(file string) ([]float32, error) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	x := make([]float32, len(bytes)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
	}
	return x, nil
}
