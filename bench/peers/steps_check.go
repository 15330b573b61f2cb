package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// check makes a side do the recorded work in one of its ways, and compares the results.
func (r *recording) check(dir string, s *side, way way) error {
	answer, err := s.ask(fmt.Sprintf("check %s %s", r.name, way))
	if err != nil {
		return err
	}
	out, err := readFloats(filepath.Join(dir, r.name+".out"))
	if err != nil {
		return err
	}
	sums, err := r.parse(answer)
	if err == nil {
		err = r.compare(way, sums, out)
	}
	if err != nil {
		return fmt.Errorf("%s does not compute what plume does: %s %s: %w",
			s.name, r.name, way, err)
	}
	return nil
}

// checkPlume does the recorded work in one of plume's ways, and compares the results.
func (r *recording) checkPlume(way way, images data.Dataset) error {
	p := pool.New(0)
	defer p.Close()
	t, err := r.recorded().in(way).training(images, p)
	if err != nil {
		return err
	}
	got, err := t.do()
	if err == nil {
		err = r.compare(way, got.sums, r.concatenated(got))
	}
	if err != nil {
		return fmt.Errorf("plume's %s is not what it computes in float32: %s: %w", way, r.name, err)
	}
	return nil
}

// concatenated are the compared arrays of a result in their order.
func (r *recording) concatenated(from result) (out []float32) {
	for _, c := range r.comparisons(tolerances{}) {
		out = append(out, from.arrays[c.name]...)
	}
	return out
}

// parse returns the sums of a side's answer.
func (r *recording) parse(answer string) (sums []float64, err error) {
	words := strings.Fields(answer)
	if len(words) != len(r.sums)+1 || words[0] != "ok" {
		return nil, fmt.Errorf("answer %q: want ok and %d numbers", words, len(r.sums))
	}
	for _, word := range words[1:] {
		x, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return nil, err
		}
		sums = append(sums, x)
	}
	return sums, nil
}

// compare compares the sums and the concatenated arrays of one of the ways with the recording.
func (r *recording) compare(way way, sums []float64, out []float32) error {
	t := r.tolerances(way)
	if err := r.compareSums(t, sums); err != nil {
		return err
	}
	next := func(name string) (got, want []float32, err error) {
		want = r.arrays[name]
		if len(out) < len(want) {
			return nil, nil, fmt.Errorf("%s: %d numbers, want %d", name, len(out), len(want))
		}
		got, out = out[:len(want)], out[len(want):]
		return got, want, nil
	}
	for _, c := range r.comparisons(t) {
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

func (r *recording) compareSums(t tolerances, sums []float64) error {
	for i, want := range r.sums {
		most := t.losses * math.Abs(want)
		if i == clippedSum {
			most = max(1, t.clipped*float64(r.rows()))
		}
		if !(math.Abs(sums[i]-want) <= most) {
			return fmt.Errorf("sum %d of the last step, %v, deviates from %v by more than %.2g",
				i, sums[i], want, most)
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
func (r *recording) comparisons(t tolerances) (list []compared) {
	if r.images > 0 {
		return []compared{{"latents", "", nil, t.samples}, {"images", "", nil, t.samples}}
	}
	for _, net := range []string{"decoder", "prior"} {
		start := r.start[net+"/params"]
		list = append(list,
			compared{net + "/params", net, start, t.moved},
			compared{net + "/moment1", net, nil, t.moments},
			compared{net + "/moment2", net, nil, t.moments},
			compared{net + "/ema", net, start, t.moved})
	}
	return append(list,
		compared{"cloud/z", "", r.start["cloud/z"], t.cloud},
		compared{"cloud/u", "", r.start["cloud/u"], t.cloud})
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
			at := felt(r.arrays[c.network+"/moment2"][lo:hi])
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
