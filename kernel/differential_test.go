package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/plume-ml/plume/internal/guard"
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
				t.Errorf(
					"no row of %d calls was clipped, some of %d, all of %d: too few to tell", free,
					both, cut,
				)
			}
		})
	}
}

// TestPathsCovered: every kernel of the table of paths is compared, and every path has it. Peak has
// nothing to compare: see TestPeak.
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
			t.Errorf(
				"kernel %s is compared %d times, want %d", field.Name, compared[field.Name], want,
			)
		}
		for _, p := range paths {
			if *kernelOf(p, field.Name) == nil {
				t.Errorf("path %s lacks the kernel %s", p.name, field.Name)
			}
		}
	}
}

// FuzzKernels is TestPathsAgree with a fuzzer's choices; data replaces the first numbers drawn. Run
// it with -fuzzminimizetime=1x: to make inputs smaller is of no use here and takes most of the
// time.
func FuzzKernels(f *testing.F) {
	for i := range raws {
		for c := range classes {
			f.Add(
				uint8(i), uint16(3+i), uint16(11*i+int(c)), uint8(c), uint64(i),
				[]byte{0, 0, 0x80, 0x3f},
			)
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
		{
			"reads behind", atEnd, true, func(_, x []float32) { keep = *behind(x, len(x)) },
			"x, of 76 bytes: fault 0 bytes behind its end",
		},
		{
			"reads before", atStart, true, func(_, x []float32) { keep = *behind(x, -1) },
			"x, of 76 bytes: fault 4 bytes before its start",
		},
		{
			"writes behind", atEnd, true, func(dst, _ []float32) { *behind(dst, len(dst)) = 1 },
			"dst, of 76 bytes: fault 0 bytes behind its end",
		},
		{
			"writes behind", between, false,
			func(dst, _ []float32) { *behind(dst, len(dst)+2) = 1 },
			"dst, of 76 bytes: written 8 bytes behind its end",
		},
		{
			"writes before", between, false, func(dst, _ []float32) { *behind(dst, -1) = 1 },
			"dst, of 76 bytes: written 4 bytes before its start",
		},
		{
			"changes an input", between, false, func(_, x []float32) { x[4] = -x[4] },
			"changed x[4] of 19, which is only read",
		},
		{
			"is off by an ulp", between, false,
			func(dst, _ []float32) { *behind(dst, 18) = math.Nextafter32(dst[18], 9) },
			"dst[18] of 19 is ",
		},
		{"panics", between, false, func(dst, _ []float32) { panic("lost") }, "panic: lost"},
		{"does nothing else", atEnd, false, func(dst, x []float32) {}, ""},
	}
	k := kernelNamed("add")
	r := newRig(t)
	r.prepare(k, shape{rows: 1, d: 19}, newSource(1, usual))
	r.refer(k)
	for _, w := range wrongs {
		if w.page && !guard.Faults {
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
