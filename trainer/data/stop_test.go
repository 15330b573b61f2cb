package data

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
)

// countdown is a context that ends after Err has been called left times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// Read checks its context at least once per MiB of data, and returns the context's error at
// whichever check it ends.
func TestReadingStops(t *testing.T) {
	const m, h, w = 64, 256, 256
	plain := npy(npyDictOf("|u1", "64, 256, 256"), ramp(m*h*w))
	shorts := npy("{'descr': '>u2', 'fortran_order': True, 'shape': (64, 256, 128)}", ramp(m*h*w))
	for name, b := range map[string][]byte{
		"bytes": plain, "gzip": gz(plain), "IDX": idx([]uint32{m, h, w}, ramp(m*h*w)),
		"Fortran, mapped": shorts,
		"npz":             npz(t, zip.Deflate, "a.npy", plain),
		"CIFAR":           nil,
	} {
		file := "x"
		if b == nil {
			file, b = "data_batch_1.bin", cifarRecords(0, 1300, oneLabel)
		}
		f, err := Find(t.Context(), write(t, t.TempDir(), file, b), Options{})
		if err != nil {
			t.Fatal(err)
		}
		counting := &countdown{t.Context(), 1 << 30}
		if _, err := f.Read(counting); err != nil {
			t.Fatal(err)
		}
		checks := 1<<30 - counting.left
		if checks < int(f.Bytes>>20) {
			t.Errorf("%s: %d checks of the context for %d bytes", name, checks, f.Bytes)
		}
		for left := 0; left < checks; left += 1 + checks/16 {
			if _, err := f.Read(&countdown{t.Context(), left}); !errors.Is(err, context.Canceled) {
				t.Fatalf("%s: stopped at look %d of %d: %v", name, left, checks, err)
			}
		}
	}
}

// Fingerprint checks its context, too.
func TestFingerprintStops(t *testing.T) {
	ds := numbered(1000)
	counting := &countdown{t.Context(), 1 << 30}
	if _, err := Fingerprint(counting, ds); err != nil || counting.left > 1<<30-10 {
		t.Fatal(err, 1<<30-counting.left)
	}
	if _, err := Fingerprint(&countdown{t.Context(), 5}, ds); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The size of a read is limited, since reading from a slow disk cannot be interrupted.
func TestReadsAreBounded(t *testing.T) {
	var largest int
	r := stoppable{t.Context(), readerFunc(func(b []byte) (int, error) {
		largest = max(largest, len(b))
		return len(b), nil
	})}
	if _, err := io.ReadFull(r, make([]byte, 5*maxRead)); err != nil || largest != maxRead {
		t.Errorf("%d bytes at once, %v", largest, err)
	}
}

type readerFunc func(b []byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Arrays in Fortran order take the memory that Find announces, whether the size of the file
// confirms the header or not.
func TestFortranLoading(t *testing.T) {
	const m, d = 1000, 5000
	b := npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1000, 5000)}", make([]byte, 4*m*d))
	members := append(gz(b[:len(b)/2]), gz(b[len(b)/2:])...)
	for name, c := range map[string]struct {
		b     []byte
		grows bool
	}{"plain": {b, false}, "two gzip members": {members, true}} {
		f, err := Find(t.Context(), write(t, t.TempDir(), "x", c.b), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.grows != (f.Loading >= f.Bytes) || f.Loading < fortranBlock {
			t.Errorf("%s: %d bytes to load %d", name, f.Loading, f.Bytes)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := f.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		const buffers = 400 << 10
		if total := int64(after.TotalAlloc - before.TotalAlloc); total > f.Bytes+2*f.Loading+
			buffers || total < f.Bytes {
			t.Errorf("%s: reading allocates %d bytes for %d, and %d to load", name, total,
				f.Bytes, f.Loading)
		}
	}
}
