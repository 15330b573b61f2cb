package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"unsafe"
)

// Every kernel of every path is compared with the generic one here, on the same arguments. The
// policy, for all kernels and all inputs:
//
//   - every number written or returned has the bits of the generic path: denormals are neither
//     flushed nor read as zero, the sign of zero counts, overflow gives the same infinities;
//   - but a NaN need only be a NaN: its sign and payload are free (they depend on the order of
//     operands, which IEEE arithmetic leaves open). Bytes and the integers of extremes, which are
//     made without arithmetic on NaN, have no such freedom;
//   - arguments that are only read keep their bits; nothing outside the slices is written, nor
//     read where that could fault; what an output held before has no influence;
//   - an output that may be an input gives the same numbers when it is;
//   - what lies between the rows of an output stays what it is.
//
// The tiles of products have another shape on every path: they are compared with the documented
// loop, on arguments of their own for each path.

// rig holds the memory of the comparison: arguments, what the generic path made of them, and
// regions between guard pages.
type rig struct {
	in, want operands
	bufs     [2]struct {
		f     [6][]float32
		bytes []uint8
	}
	ids     []uint64
	regions struct {
		f          [6][]byte
		bytes, ids []byte
	}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	region := func() []byte {
		region, err := newRegion(regionSize)
		if err != nil {
			t.Fatalf("memory for the arguments: %v", err)
		}
		return region
	}
	r := &rig{ids: make([]uint64, mostElements)}
	for i := range r.regions.f {
		r.regions.f[i] = region()
	}
	r.regions.bytes, r.regions.ids = region(), region()
	for side := range r.bufs {
		b := &r.bufs[side]
		for i := range b.f {
			b.f[i] = make([]float32, mostNumbers)
		}
		b.bytes = make([]uint8, mostElements)
	}
	return r
}

// prepare draws the arguments of a kernel.
func (r *rig) prepare(k *raw, s shape, from *source) {
	o := &r.in
	*o = operands{rows: s.rows, d: s.d, cols: s.cols, stride: s.d + from.IntN(mostApart+1), repeat: 1 + from.IntN(5)}
	o.phase = from.IntN(o.repeat)
	from.strides(o)
	for i, p := range k.floats {
		o.f[i] = r.bufs[0].f[i][:o.length(p.layout)]
	}
	if k.bytes != nil {
		o.bytes = r.bufs[0].bytes[:o.length(k.bytes.layout)]
	}
	if k.ids != nil {
		o.ids = r.ids[:o.length(k.ids.layout)]
	}
	from.fill(k, o)
}

// refer does with copies of the arguments what the kernel should do: it runs the generic path, or for tiles
// the documented loop.
func (r *rig) refer(k *raw) {
	r.want = r.in
	b := &r.bufs[1]
	for i, x := range r.in.f {
		r.want.f[i] = b.f[i][:copy(b.f[i], x)]
	}
	r.want.bytes = b.bytes[:copy(b.bytes, r.in.bytes)]
	if k.tile() {
		documentedTile(&r.want)
		return
	}
	k.call(only(&generic, k.kernel), &r.want)
}

// only is the path with nothing but the named kernel: a call of another would panic.
func only(p *path, field string) *path {
	q := &path{name: p.name}
	*kernelOf(q, field) = *kernelOf(p, field)
	return q
}

// kernelOf is where a path holds the named kernel, a func value.
func kernelOf(p *path, field string) *unsafe.Pointer {
	return (*unsafe.Pointer)(reflect.ValueOf(p).Elem().FieldByName(field).Addr().UnsafePointer())
}

// laid is where the arguments of a kernel lie.
type laid struct {
	f          [6]block
	bytes, ids block
}

// each calls f for the arrays of a kernel by name, until it fails.
func (l *laid) each(k *raw, f func(name string, b block) error) error {
	for i, p := range k.floats {
		if err := f(p.name, l.f[i]); err != nil {
			return err
		}
	}
	if k.bytes != nil {
		if err := f(k.bytes.name, l.bytes); err != nil {
			return err
		}
	}
	if k.ids != nil {
		return f(k.ids.name, l.ids)
	}
	return nil
}

// lay copies the arguments into the regions; what is only written keeps the canary.
func (r *rig) lay(k *raw, at place, offset int) (o operands, l laid) {
	o = r.in
	for i, p := range k.floats {
		l.f[i] = lay(r.regions.f[i], 4*len(r.in.f[i]), at, 4*((offset+5*i)%16))
		o.f[i] = l.f[i].floats()
		if p.use != writes {
			copy(o.f[i], r.in.f[i])
		}
	}
	if k.bytes != nil {
		l.bytes = lay(r.regions.bytes, len(r.in.bytes), at, offset%16)
		o.bytes = l.bytes.bytes()
		if k.bytes.use != writes {
			copy(o.bytes, r.in.bytes)
		}
	}
	if k.ids != nil {
		l.ids = lay(r.regions.ids, 8*len(r.in.ids), at, 8*(offset%16))
		o.ids = l.ids.ids()
		copy(o.ids, r.in.ids)
	}
	return o, l
}

// against runs a kernel of a path on arguments laid out as told and says how it fails to do what
// the generic path did. alias is a pair of arguments to be one slice, or nil.
func (r *rig) against(k *raw, p *path, at place, offset int, alias []int) error {
	o, l := r.lay(k, at, offset)
	if alias != nil {
		o.f[alias[0]] = o.f[alias[1]]
	}
	r.spare(k, &o)
	if err := run(k, only(p, k.kernel), &o, &l); err != nil {
		return err
	}
	if err := l.each(k, func(name string, b block) error {
		if err := b.check(); err != nil {
			return fmt.Errorf("%s, of %d bytes: %w", name, b.n, err)
		}
		return nil
	}); err != nil {
		return err
	}
	return r.results(k, &o, alias)
}

// spare expects between the rows of outputs what is there before the call.
func (r *rig) spare(k *raw, o *operands) {
	for i, p := range k.floats {
		_, width, apart, is := o.grid(p.layout)
		if !is || p.use != writes {
			continue
		}
		x, want := o.f[i], r.want.f[i]
		for lo := width; lo < len(x); lo += apart {
			copy(want[lo:lo+apart-width], x[lo:])
		}
	}
}

// run calls a kernel; a fault becomes an error.
func run(k *raw, p *path, o *operands, l *laid) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		v := recover()
		fault, ok := v.(interface{ Addr() uintptr })
		switch {
		case ok:
			err = l.each(k, func(name string, b block) error {
				if where, found := b.near(fault.Addr()); found {
					return fmt.Errorf("%s, of %d bytes: fault %s", name, b.n, where)
				}
				return nil
			})
			if err == nil {
				err = fmt.Errorf("fault near none of its arguments: %v", v)
			}
		case v != nil:
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	k.call(p, o)
	return nil
}

// agree is the policy for one number.
func agree(got, want float32) bool {
	return math.Float32bits(got) == math.Float32bits(want) || got != got && want != want
}

// image is the memory of numbers.
func image(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// results compares what a kernel left behind with the generic path's work.
func (r *rig) results(k *raw, o *operands, alias []int) error {
	for i, p := range k.floats {
		if alias != nil && i == alias[1] {
			continue // it is compared as the output it was
		}
		got, want := o.f[i], r.want.f[i]
		if p.use == reads {
			want = r.in.f[i]
		}
		if bytes.Equal(image(got), image(want)) {
			continue // most are, and this is quicker to see
		}
		for j, v := range got {
			switch exact := math.Float32bits(v) == math.Float32bits(want[j]); {
			case p.use == reads && !exact:
				return fmt.Errorf("changed %s[%d] of %d, which is only read", p.name, j, len(got))
			case !exact && !agree(v, want[j]):
				return fmt.Errorf("%s[%d] of %d is %v (%#08x), want %v (%#08x)", p.name, j, len(got),
					v, math.Float32bits(v), want[j], math.Float32bits(want[j]))
			}
		}
	}
	for j, v := range o.bytes {
		if v != r.want.bytes[j] {
			return fmt.Errorf("%s[%d] of %d is %d, want %d", k.bytes.name, j, len(o.bytes), v, r.want.bytes[j])
		}
	}
	for j, v := range o.ids {
		if v != r.in.ids[j] {
			return fmt.Errorf("changed %s[%d] of %d, which is only read", k.ids.name, j, len(o.ids))
		}
	}
	if w := &r.want; o.count != w.count || o.least != w.least || o.great != w.great {
		return fmt.Errorf("returned %d, %d, %d, want %d, %d, %d", o.count, o.least, o.great,
			w.count, w.least, w.great)
	}
	return nil
}

// alias is a pair of arguments of the kernel to be one slice, or nil.
func (r *rig) alias(k *raw, number int) []int {
	n := number % (len(k.aliases) + 1)
	if n == 0 {
		return nil
	}
	pair := k.aliases[n-1][:]
	if len(r.in.f[pair[0]]) != len(r.in.f[pair[1]]) {
		return nil
	}
	return pair
}

// compare makes the comparison of one kernel on every path and in every place, with arguments drawn
// from a seed and a class, and data laid over them.
func (r *rig) compare(t *testing.T, k *raw, s shape, seed uint64, c class, data []byte) {
	t.Helper()
	number := 0 // chooses what varies from one call to the next
	for i, p := range paths {
		if i == 0 || k.tile() {
			from := newSource(seed, c)
			r.prepare(k, k.fit(s, p), from)
			overlay(k, &r.in, data)
			r.refer(k)
			number = from.IntN(1 << 16)
		}
		alias := r.alias(k, number)
		for at := range places {
			if p == &generic && at != between {
				continue // Go checks its own bounds; what remains is aliases
			}
			if err := r.against(k, p, at, number, alias); err != nil {
				t.Fatalf("%s on %s: %d rows of %d, arguments %v, offset %d, alias %v, strides %d, %d, %d, %d, %d: %v",
					k.kernel, p.name, r.in.rows, r.in.d, at, number%16, alias,
					r.in.stride, r.in.ldc, r.in.lds, r.in.rs, r.in.cs, err)
			}
		}
	}
}

func TestPathsAgree(t *testing.T) {
	r := newRig(t)
	for i := range raws {
		k := &raws[i]
		t.Run(k.kernel, func(t *testing.T) {
			free, both, cut := 0, 0, 0
			for i, s := range k.shapes() {
				r.compare(t, k, s, uint64(i), class(i)%classes, nil)
				switch clipped := r.want.count; {
				case clipped == 0:
					free++
				case clipped < s.rows:
					both++
				default:
					cut++
				}
			}
			if k.clips() && min(free, both, cut) < 50 {
				t.Errorf("no row of %d calls was clipped, some of %d, all of %d: too few to tell", free, both, cut)
			}
		})
	}
}

// TestPathsCovered: every kernel of the table of paths is compared, and every path has it. Peak has nothing
// to compare: see TestPeak.
func TestPathsCovered(t *testing.T) {
	compared := map[string]int{}
	for _, k := range raws {
		compared[k.kernel]++
	}
	table := reflect.TypeFor[path]()
	for i := range table.NumField() {
		field := table.Field(i)
		if field.Type.Kind() != reflect.Func {
			continue
		}
		want := 1
		if field.Name == "peak" {
			want = 0
		}
		if compared[field.Name] != want {
			t.Errorf("kernel %s is compared %d times, want %d", field.Name, compared[field.Name], want)
		}
		for _, p := range paths {
			if *kernelOf(p, field.Name) == nil {
				t.Errorf("path %s lacks the kernel %s", p.name, field.Name)
			}
		}
	}
}

// FuzzKernels is TestPathsAgree with a fuzzer's choices; data replaces the first numbers drawn.
// Run it with -fuzzminimizetime=1x: to make inputs smaller is of no use here and takes most of the time.
func FuzzKernels(f *testing.F) {
	for i := range raws {
		for c := range classes {
			f.Add(uint8(i), uint16(3+i), uint16(11*i+int(c)), uint8(c), uint64(i), []byte{0, 0, 0x80, 0x3f})
		}
	}
	r := newRig(f)
	f.Fuzz(func(t *testing.T, kernel uint8, rows, d uint16, kind uint8, seed uint64, data []byte) {
		k := &raws[int(kernel)%len(raws)]
		r.compare(t, k, shape{rows: int(rows), d: int(d)}, seed, class(kind)%classes, data)
	})
}

// overlay lays data over the numbers that a kernel reads, by turns over its arguments.
func overlay(k *raw, o *operands, data []byte) {
	for n := 0; len(data) >= 4; n, data = n+1, data[4:] {
		i, j := n%len(k.floats), n/len(k.floats)
		if k.floats[i].use != writes && j < len(o.f[i]) {
			o.f[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(data))
		}
	}
}

// TestComparisonFails: what a kernel may do wrong is seen.
func TestComparisonFails(t *testing.T) {
	behind := func(x []float32, n int) *float32 {
		return (*float32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), 4*n))
	}
	var keep float32
	wrongs := []struct {
		what string
		at   place
		page bool // seen with the help of a guard page
		does func(dst, x []float32)
		want string
	}{
		{"reads behind", atEnd, true, func(_, x []float32) { keep = *behind(x, len(x)) }, "x, of 76 bytes: fault 0 bytes behind its end"},
		{"reads before", atStart, true, func(_, x []float32) { keep = *behind(x, -1) }, "x, of 76 bytes: fault 4 bytes before its start"},
		{"writes behind", atEnd, true, func(dst, _ []float32) { *behind(dst, len(dst)) = 1 }, "dst, of 76 bytes: fault 0 bytes behind its end"},
		{"writes behind", between, false, func(dst, _ []float32) { *behind(dst, len(dst)+2) = 1 }, "dst, of 76 bytes: written 8 bytes behind its end"},
		{"writes before", between, false, func(dst, _ []float32) { *behind(dst, -1) = 1 }, "dst, of 76 bytes: written 4 bytes before its start"},
		{"changes an input", between, false, func(_, x []float32) { x[4] = -x[4] }, "changed x[4] of 19, which is only read"},
		{"is off by an ulp", between, false, func(dst, _ []float32) { *behind(dst, 18) = math.Nextafter32(dst[18], 9) }, "dst[18] of 19 is "},
		{"panics", between, false, func(dst, _ []float32) { panic("lost") }, "panic: lost"},
		{"does nothing else", atEnd, false, func(dst, x []float32) {}, ""},
	}
	k := kernelNamed("add")
	r := newRig(t)
	r.prepare(k, shape{rows: 1, d: 19}, newSource(1, usual))
	r.refer(k)
	for _, w := range wrongs {
		if w.page && !faulting {
			continue
		}
		wrong := &path{name: "wrong", add: func(dst, x []float32) {
			addGeneric(dst, x)
			w.does(dst, x)
		}}
		err := r.against(k, wrong, w.at, 3, nil)
		if got := fmt.Sprint(err); w.want == "" && err != nil || !strings.HasPrefix(got, w.want) {
			t.Errorf("a kernel that %s: %v, want %s", w.what, err, w.want)
		}
	}
	_ = keep
}

// TestMoveIsNoise: with positions, velocities and drift of zero and a variance of one, both moves
// give the normals of their rows, bit for bit; without a step size they change nothing.
func TestMoveIsNoise(t *testing.T) {
	ids := []uint64{0, 7, 1<<29 - 1, 1<<32 + 5, 1<<60 + 3}
	zero := func(n int) []float32 { return make([]float32, n) }
	eachPath(t, func(t *testing.T) {
		for d := 0; d <= 100; d++ {
			n := len(ids) * d
			m := Move{G: zero(n), P: zero(n), H: constant(len(ids), 0.5), Anchor: 0.5, Clip: 1, Friction: 1,
				IDs: ids, D: d, Key: Key{Seed: 1<<40 + 11, Step: 3, Stream: 3}}
			want := zero(n)
			for i, id := range ids {
				normalGeneric(want[i*d:(i+1)*d], id*Groups(d), m.Key.Seed, m.Key.Step, uint32(m.Key.Stream))
			}
			m.Z = guardedCopy(t, zero(n))
			clipped := Overdamped(&m)
			same(t, "Overdamped from zero", m.Z, want)
			m.Z, m.U = guardedCopy(t, zero(n)), guardedCopy(t, zero(n))
			clipped += Underdamped(&m)
			same(t, "Underdamped from zero", m.Z, want)
			same(t, "Underdamped from zero, velocity", m.U, want)
			if clipped != 0 {
				t.Fatalf("%d rows without drift were clipped", clipped)
			}

			z := fill(n)
			m.H, m.G, m.Friction = zero(len(ids)), fill(n), 0x1p-6
			m.Z = guardedCopy(t, z)
			Overdamped(&m)
			same(t, "Overdamped without a step", m.Z, z)
			m.Z, m.U = guardedCopy(t, z), guardedCopy(t, zero(n))
			Underdamped(&m)
			same(t, "Underdamped without a step", m.Z, z)
		}
	})
}
