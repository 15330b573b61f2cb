package memory_test

import (
	"math"
	"runtime"
	"testing"

	"github.com/plume-ml/plume/trainer/memory"
)

func TestArray(t *testing.T) {
	for _, c := range []struct{ got, want int64 }{
		{memory.Array[float32](3, 5), 60},
		{memory.Array[uint8](), 1},
		{memory.Array[float64](7, 0, 9), 0},
		{memory.Array[uint32](1<<20, 1<<20), 1 << 42},
		{memory.Array[float32](math.MaxInt, math.MaxInt, math.MaxInt), 1 << 56},
	} {
		if c.got != c.want {
			t.Errorf("%d bytes, expected %d", c.got, c.want)
		}
	}
}

func TestParts(t *testing.T) {
	p := memory.Parts{{Name: "data", Bytes: 3 << 20}, {Name: "nothing"},
		{Name: "particles", Bytes: 5 << 29}}
	if got, want := p.String(), "2.5 GiB = data 3.0 MiB + particles 2.5 GiB"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
	if got := p.Largest().Name; got != "particles" {
		t.Errorf("the largest part is %q", got)
	}
	if got := p.Total(); got != 3<<20+5<<29 {
		t.Errorf("%d in all", got)
	}
	if got := (memory.Parts{}).Largest(); got != (memory.Part{}) {
		t.Errorf("the largest of no parts is %v", got)
	}
	many := make(memory.Parts, 100)
	for i := range many {
		many[i].Bytes = memory.Array[float32](math.MaxInt, math.MaxInt)
	}
	if many.Total() < many[0].Bytes {
		t.Error("a hundred of the largest arrays overflow")
	}
}

// The peak grows with the memory that is touched and does not fall when it is freed. 64 MiB are
// more than other tests or the collector can free meanwhile; a sixteenth of it may be memory that
// was resident before, and the race detector keeps shadow memory of several times its size.
func TestPeak(t *testing.T) {
	before, ok := memory.Peak()
	if known := runtime.GOOS == "linux" || runtime.GOOS == "darwin"; known && !ok {
		t.Fatal("the peak is unknown")
	}
	if !ok {
		if before != 0 {
			t.Errorf("unknown, but %d", before)
		}
		return
	}
	const size = 64 << 20
	touched := make([]byte, size)
	for i := 0; i < size; i += 1 << 10 {
		touched[i] = 1
	}
	after, _ := memory.Peak()
	if grown := after - before; grown < size-size/16 || grown > 8*size {
		t.Errorf("the peak grew by %d bytes while %d were touched", grown, size)
	}
	runtime.KeepAlive(touched)
	runtime.GC()
	const slack = 1 << 20 // Linux adds up pages by processor; the sum that it reports may lag
	if again, _ := memory.Peak(); again < after-slack {
		t.Errorf("the peak fell from %d to %d", after, again)
	}
}

// A machine that builds this has between 16 MiB and 2^46 bytes.
func TestMachine(t *testing.T) {
	m := memory.Machine()
	if runtime.GOOS == "linux" && m == 0 {
		t.Error("the machine's memory is unknown")
	}
	if m != 0 && (m < 16<<20 || m > 1<<46) {
		t.Errorf("the machine has %d bytes", m)
	}
	if peak, _ := memory.Peak(); m != 0 && peak > m {
		t.Errorf("this process uses %d bytes of the machine's %d", peak, m)
	}
}
