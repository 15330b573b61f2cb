package bench

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// manyImages is the number of datapoints whose particles take 256 MiB.
const manyImages = 1 << 20

// repeated is a data set repeated without end.
type repeated struct{ data.Dataset }

func (repeated) Len() int { return manyImages }

func (r repeated) Gather(dst []float32, idx []int) {
	d, one := r.Shape().Dim(), make([]int, 1)
	for i, m := range idx {
		one[0] = m % r.Dataset.Len()
		r.Dataset.Gather(dst[i*d:(i+1)*d], one)
	}
}

// BenchmarkCloud is a step of the default run on a new random minibatch of a million images. The
// particles are in memory, in a file whose pages are cached, or in a file without cached pages, as
// for clouds much larger than the memory. The file is in TMPDIR.
func BenchmarkCloud(b *testing.B) {
	for _, where := range []string{"memory", "file", "disk"} {
		b.Run("cloud="+where, func(b *testing.B) {
			dir := ""
			if where != "memory" {
				dir = b.TempDir()
			}
			stepsOnMany(b, dir, where == "disk")
		})
	}
}

func stepsOnMany(b *testing.B, dir string, cold bool) {
	s := defaults("D", method.Default().Batch)
	p := pool.New(0)
	b.Cleanup(p.Close)
	m, err := method.New(method.Default().Method, method.Setup{
		Options: s.options, Train: repeated{images()}, Batch: s.batch, Tile: method.Default().Tile,
		Seed: 1, Pool: p, CloudDir: dir,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	batch, r := method.Minibatch{Index: make([]int, s.batch)}, rand.New(rand.NewPCG(1, 2))
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		for i := range batch.Index {
			batch.Index[i] = r.IntN(manyImages)
		}
		if cold {
			dropPages(b, m, dir)
		}
		before := processorTime(b)
		b.StartTimer()
		if _, err := m.Step(batch); err != nil {
			b.Fatal(err)
		}
		cpu += processorTime(b) - before
		batch.Number++
	}
	b.ReportMetric(float64(cpu)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(s.rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// processorTime is the time that all threads of the process have used, which says more than the
// clock on a busy machine.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// dropPages writes a method's file back and drops its pages from the cache.
func dropPages(b *testing.B, m method.Method, dir string) {
	b.Helper()
	for _, t := range m.Tensors() {
		if t.Name == "cloud/z" || t.Name == "cloud/u" {
			pages := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(t.F32))), 4*len(t.F32))
			if err := unix.Madvise(pages, unix.MADV_DONTNEED); err != nil {
				b.Fatal(err)
			}
		}
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range open {
		path := filepath.Join("/proc/self/fd", e.Name())
		if target, err := os.Readlink(path); err != nil || !strings.HasPrefix(target, dir+"/") {
			continue
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
