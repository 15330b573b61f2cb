package data

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// staysOf is m rows of 2 x 2 bytes that stay in a file.
func staysOf(t *testing.T, m int) (path string, ds Dataset) {
	t.Helper()
	path = write(t, t.TempDir(), "x.idx", idx([]uint32{uint32(m), 2, 2}, ramp(4*m)))
	return path, mustStay(t, path, Options{})
}

// A file that is cut short or written to while its rows are in use is an error that says so, and
// rows that are no longer there are NaN.
func TestStayingNoticesChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(path string) error
		gone   bool
	}{
		"truncated": {func(path string) error { return os.Truncate(path, 100) }, true},
		"longer": {func(path string) error {
			return os.WriteFile(path, idx([]uint32{900, 2, 2}, ramp(3601)), 0o644)
		}, false},
		"written": {func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte{1}, 500)
				err = errors.Join(err, f.Close(), os.Chtimes(path, time.Now(),
					time.Now().Add(time.Second))) // whatever the resolution of its clock
			}
			return err
		}, false},
	} {
		path, ds := staysOf(t, 900)
		view := Subset(ds, Range(800, 900))
		row := make([]float32, 4)
		view.Gather(row, []int{99})
		if err := Err(view); err != nil || row[0] != row[0] {
			t.Fatalf("%s: %v, %v before", name, err, row)
		}
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		view.Gather(row, []int{99})
		for _, v := range row {
			if c.gone != math.IsNaN(float64(v)) {
				t.Errorf("%s: row %v", name, row)
			}
		}
		wantError(t, Err(view), path, "changed while it was read")
		_, err := Fingerprint(t.Context(), Subset(ds, Range(0, 900)))
		wantError(t, err, "changed while it was read")
		if _, err := FingerprintLike(t.Context(), ds, "0123456789abcdef"); err == nil {
			t.Errorf("%s: a fingerprint", name)
		}
	}
}

// badBlock is a file of which a part cannot be read.
type badBlock struct {
	io.ReaderAt
	from, to int64
}

var errBlock = errors.New("input/output error")

func (b badBlock) ReadAt(x []byte, at int64) (int, error) {
	if at < b.to && at+int64(len(x)) > b.from {
		return 0, &fs.PathError{Op: "read", Path: "x", Err: errBlock}
	}
	return b.ReaderAt.ReadAt(x, at)
}

// Rows in a block that cannot be read are NaN, others are read, and the error stays: the first.
func TestStayingHasAnUnreadableBlock(t *testing.T) {
	path, ds := staysOf(t, 900)
	file := ds.(*array).file
	file.from = badBlock{file.from, file.at + 4*600, file.at + 4*601}
	got := make([]float32, 4*900)
	for i := range 900 {
		ds.Gather(got[4*i:4*i+4], []int{i})
		if err := Err(ds); (err != nil) != (i >= 600) {
			t.Fatalf("row %d: %v", i, err)
		}
	}
	for i, v := range got {
		if math.IsNaN(float64(v)) != (i/4 == 600) {
			t.Fatalf("row %d is %v", i/4, v)
		}
	}
	err := Err(ds)
	wantError(t, err, path, "row 600")
	if !errors.Is(err, errBlock) {
		t.Error(err)
	}
	u := &Unsettled{a: ds.(*array)}
	if _, err := u.Survey(t.Context(), []int{0}); !errors.Is(err, errBlock) {
		t.Errorf("survey: %v", err)
	}
}

// A survey ends with its context, wherever that ends.
func TestSurveyStops(t *testing.T) {
	path := write(t, t.TempDir(), "x.idx", idx([]uint32{9000, 2, 2}, ramp(36000)))
	f, err := Find(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.Stay(nil)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Read(ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	f.Stay(func(ctx context.Context, u *Unsettled) (Survey, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		u.opt.Progress = func(string) { cancel() }
		return u.Survey(ctx, Range(0, 3))
	})
	if _, err := f.Read(t.Context()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Surveys of the same blocks must say the same of them, and all blocks must be surveyed.
func TestMergeRefuses(t *testing.T) {
	_, ds := staysOf(t, 9000)
	u := &Unsettled{a: ds.(*array)}
	survey := func(blocks ...int) Survey {
		s, err := u.Survey(t.Context(), blocks)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole, err := Merge(survey(0, 1), survey(1, 2), survey(0, 2))
	if err != nil || u.take(whole) != nil || len(whole.Blocks) != 3 {
		t.Errorf("%d blocks, %v", len(whole.Blocks), err)
	}
	part, err := Merge(survey(0), survey(2))
	if err != nil {
		t.Error(err)
	}
	wantError(t, u.take(part), "2 of 3 blocks")
	other := survey(1, 2)
	other.Blocks[0].Digest = slices.Clone(other.Blocks[0].Digest)
	other.Blocks[0].Digest[5]++
	differ := (*Differ)(nil)
	if _, err := Merge(survey(0), survey(0, 1), other); !errors.As(err, &differ) ||
		*differ != (Differ{1, 2, 4096, 8192}) {
		t.Error(err)
	}
}

// Many goroutines gather at once, as workers do, and none of them allocates.
func TestStayingConcurrently(t *testing.T) {
	const m = 5000
	path := write(t, t.TempDir(), "x.npy", npy(npyDictOf(">i2", "5000, 2, 2"), ramp(8*m)))
	memory, file := mustOpen(t, path, Options{Range: &[2]float64{0, 9}}), mustStay(t, path,
		Options{Range: &[2]float64{0, 9}})
	var wait sync.WaitGroup
	for w := range 8 {
		wait.Go(func() {
			got, want, idx := make([]float32, 40), make([]float32, 40), make([]int, 10)
			for i := range 500 {
				for k := range idx {
					idx[k] = (i*37 + k*w) % m
				}
				file.Gather(got, idx)
				if memory.Gather(want, idx); !slices.Equal(got, want) {
					t.Errorf("rows %v differ", idx)
					return
				}
			}
		})
	}
	wait.Wait()
	dst, idx := make([]float32, 8), []int{7, 4000}
	if n := testing.AllocsPerRun(100, func() { file.Gather(dst, idx) }); n >= 1 {
		t.Errorf("Gather allocates %v times", n)
	}
}

// A step's rows in memory and in the file, which the system has in its cache.
func BenchmarkGatherFromFile(b *testing.B) {
	const m, d = 100_000, 784
	f, err := os.CreateTemp(b.TempDir(), "*.idx")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.Write(idx([]uint32{m, 28, 28}, ramp(m*d))); err != nil {
		b.Fatal(err)
	}
	f.Close()
	found, err := Find(b.Context(), f.Name(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	idx := NewBatches(m, 500, 1).At(0, 0)
	dst := make([]float32, len(idx)*d)
	for _, stay := range []bool{false, true} {
		if stay {
			found.Stay(nil)
		}
		ds, err := found.Read(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(map[bool]string{false: "memory", true: "file"}[stay], func(b *testing.B) {
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				ds.Gather(dst, idx)
			}
		})
	}
}
