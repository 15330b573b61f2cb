package kernel

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/plume-ml/plume/internal/guard"
)

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
		region, err := guard.Region(regionSize)
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
	*o = operands{
		rows: s.rows, d: s.d, cols: s.cols, high: s.high, stride: s.d + from.IntN(mostApart+1),
		repeat: 1 + from.IntN(5),
	}
	o.phase = from.IntN(o.repeat)
	from.strides(k, o)
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

// refer computes from copies of the arguments what the kernel should make of them: by the generic
// path, or for tiles by the documented loop.
func (r *rig) refer(k *raw) {
	r.want = r.in
	b := &r.bufs[1]
	for i, x := range r.in.f {
		r.want.f[i] = b.f[i][:copy(b.f[i], x)]
	}
	r.want.bytes = b.bytes[:copy(b.bytes, r.in.bytes)]
	if k.loop != nil {
		k.loop(&r.want)
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

// laid is where the arguments of a kernel are in memory.
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

// lay copies the arguments into the regions; those that are only written keep the canary.
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

// against runs a kernel of a path on arguments at the given place, and returns an error if it does
// not do what the generic path did. alias is a pair of arguments to be one slice, or nil.
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

// spare makes the test expect, between the rows of outputs, what is there before the call.
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
				return fmt.Errorf(
					"%s[%d] of %d is %v (%#08x), want %v (%#08x)", p.name, j, len(got), v,
					math.Float32bits(v), want[j], math.Float32bits(want[j]),
				)
			}
		}
	}
	for j, v := range o.bytes {
		if v != r.want.bytes[j] {
			return fmt.Errorf(
				"%s[%d] of %d is %d, want %d", k.bytes.name, j, len(o.bytes), v, r.want.bytes[j],
			)
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

// compare compares one kernel on every path and in every place, with arguments drawn from a seed
// and a class, some replaced by data.
func (r *rig) compare(t *testing.T, k *raw, s shape, seed uint64, c class, data []byte) {
	t.Helper()
	number := 0 // chooses what varies from one call to the next
	for i, p := range paths {
		if i == 0 || k.loop != nil {
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
				t.Fatalf(
					"%s on %s: %d rows of %d, arguments %v, offset %d, alias %v, "+
						"strides %d, %d, %d, %d, %d, %d parts with jumps of %d: %v",
					k.kernel, p.name, r.in.rows, r.in.d, at, number%16, alias, r.in.stride,
					r.in.ldc, r.in.lds, r.in.rs, r.in.cs, r.in.parts, r.in.jump, err,
				)
			}
		}
	}
}
