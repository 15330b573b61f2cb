//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package memory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mustMap(t *testing.T, dir string, bytes int64) *Mapping {
	t.Helper()
	m, err := Map(t.Context(), dir, bytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// A mapping starts as zeros, keeps what is written to it, occupies its size on the disk and has no
// name there.
func TestMap(t *testing.T) {
	dir := t.TempDir()
	const n = 100_000
	m := mustMap(t, dir, 4*n)
	x := m.Floats(0, n)
	for i, v := range x {
		if v != 0 {
			t.Fatalf("element %d is %v", i, v)
		}
		x[i] = float32(i)
	}
	if y := m.Floats(77, n); y[0] != 77 || len(y) != n-77 || cap(y) != n-77 ||
		len(m.Floats(n, n)) != 0 {
		t.Errorf("element 77 is %v, of %d elements", y[0], len(y))
	}
	m.Prefetch(77, n)
	var s unix.Stat_t
	if err := unix.Fstat(int(m.file.Fd()), &s); err != nil || s.Size != 4*n || 512*s.Blocks < 4*n {
		t.Errorf("a file of %d bytes that takes %d, %v", s.Size, 512*s.Blocks, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(mappings.open) != 0 {
		t.Error("a closed mapping is still among the open ones")
	}
}

// Where fallocate is not available, zeros are written.
func TestWriteZeros(t *testing.T) {
	const n = 3<<20 + 17
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := writeZeros(t.Context(), f, n); err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != n {
		t.Errorf("%v, %v", info.Size(), err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := writeZeros(over, f, n); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
	if _, err := Map(over, t.TempDir(), n); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

// A size beyond any disk is an error at once, as is a directory where no file can be made.
func TestMapRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Map(t.Context(), dir, 1<<55); !errors.Is(err, ErrDisk) ||
		!strings.Contains(err.Error(), dir) {
		t.Errorf("32 PiB: %v", err)
	}
	if _, err := Map(t.Context(), dir, huge); !errors.Is(err, ErrMapping) {
		t.Errorf("the size that counts as infinite: %v", err)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := Map(t.Context(), missing, 100); !errors.Is(err, ErrMapping) ||
		!strings.Contains(err.Error(), missing) {
		t.Errorf("no directory: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
}

// Map removes the empty file of a process that was killed before it removed the file's name.
func TestMapClearsStale(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{scratchName + "123": "", scratchName + "456": "text", "other": ""}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustMap(t, dir, 100)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 || left[0].Name() != scratchName+"456" ||
		left[1].Name() != "other" {
		t.Errorf("the directory holds %v, %v", left, err)
	}
}

// A truncated file gives an error that says so, whether an access faults or falls into the rest of
// the last page.
func TestCut(t *testing.T) {
	dir := t.TempDir()
	page := os.Getpagesize()
	m := mustMap(t, dir, int64(3*page))
	x := m.Floats(0, 3*page/4)
	if err := m.file.Truncate(int64(page + 10)); err != nil {
		t.Fatal(err)
	}
	sum := float32(0)
	if err := Catch(func() { sum += x[page/4+4] }); err != nil { // beyond the end, but in its page
		t.Error(err)
	}
	want := fmt.Sprintf("in %s: it was cut to %d bytes", dir, page+10)
	for what, err := range map[string]error{
		"the size": m.Check(),
		"reading":  Catch(func() { sum += x[2*page/4] }),
		"writing":  Catch(func() { x[2*page/4] = 1 }),
		"copying":  Catch(func() { copy(x, x[page/2:]) }),
	} {
		if !errors.Is(err, ErrMapping) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v, expected %q", what, err, want)
		}
	}
}

// A fault in a file of the right size gives an error that says so. Here a protected page stands in
// for a failing disk.
func TestFault(t *testing.T) {
	dir := t.TempDir()
	page := os.Getpagesize()
	m := mustMap(t, dir, int64(3*page))
	if err := unix.Mprotect(m.bytes[page:2*page], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	err := Catch(func() { m.bytes[page+8] = 1 })
	want := fmt.Sprintf("in %s: the system could not read or write it at byte %d", dir, page+8)
	if !errors.Is(err, ErrMapping) || !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("%v, expected %q", err, want)
	}
}

// Catch passes on panics that are not faults of a mapping, including faults elsewhere.
func TestCatchPasses(t *testing.T) {
	mustMap(t, t.TempDir(), 100)
	foreign, err := unix.Mmap(-1, 0, 1<<12, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(foreign)
	var none *int
	for what, f := range map[string]func(){
		"a panic":          func() { panic("as it was") },
		"a nil pointer":    func() { *none = 1 },
		"a foreign page":   func() { *(*byte)(unsafe.Pointer(&foreign[0])) = 1 },
		"an index":         func() { _ = foreign[len(foreign)*2-len(os.Args)+len(os.Args)] },
		"nothing caught 1": nil,
	} {
		func() {
			defer func() {
				if caught := recover(); (caught != nil) != (f != nil) {
					t.Errorf("%s: recovered %v", what, caught)
				}
			}()
			err := Catch(func() {
				if f != nil {
					f()
				}
			})
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}()
	}
	if n := testing.AllocsPerRun(10, func() {
		_ = Catch(func() { foreign = foreign[:len(foreign):len(foreign)] })
	}); n != 0 {
		t.Errorf("Catch allocates %v times", n)
	}
}

func TestDiskFree(t *testing.T) {
	dir := t.TempDir()
	if free, ok := DiskFree(dir); ok && (free <= 0 || free > 1<<55) {
		t.Errorf("%d bytes free", free)
	}
	if free, ok := DiskFree(filepath.Join(dir, "missing")); ok || free != 0 {
		t.Errorf("a missing directory has %d bytes free", free)
	}
}

// /dev/shm is in memory wherever Linux has it; a missing directory is not.
func TestInMemory(t *testing.T) {
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); runtime.GOOS == "linux" && err == nil && !InMemory(shm) {
		t.Errorf("%s counts as a disk", shm)
	}
	if InMemory(filepath.Join(t.TempDir(), "missing")) {
		t.Error("a missing directory counts as memory")
	}
}
