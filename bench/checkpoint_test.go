package bench

import (
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
)

// state returns the tensors of a checkpoint of the default run, and their size in bytes.
func state(b *testing.B) (tensors []checkpoint.Tensor, bytes int64) {
	c := method.Default()
	tensors = defaults("", c.Batch).newMethod(b, c.Tile, 1).Tensors()
	for _, t := range tensors {
		bytes += int64(4*len(t.F32) + 4*len(t.U32) + 8*len(t.F64))
	}
	return tensors, bytes
}

// save writes a checkpoint and waits until it is durable.
func save(b *testing.B, w *checkpoint.Writer, step int, tensors []checkpoint.Tensor) (dir string) {
	p, err := w.Begin(checkpoint.Meta{Step: step}, tensors)
	if err == nil {
		dir, err = p.Commit()
	}
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkCheckpoint writes the default run's checkpoint to the disk of the temporary directory,
// synced, and reads it back from the system's cache.
func BenchmarkCheckpoint(b *testing.B) {
	b.Run("op=write", func(b *testing.B) {
		tensors, bytes := state(b)
		w := checkpoint.Writer{
			Files: file.OS, RunDir: b.TempDir(), Keep: method.Default().KeepCheckpoints,
		}
		b.SetBytes(bytes)
		for step := 0; b.Loop(); step++ {
			save(b, &w, step, tensors)
		}
	})
	// The time that training waits; the rest of a write is concurrent with it.
	b.Run("op=stall", func(b *testing.B) {
		tensors, bytes := state(b)
		keep := method.Default().KeepCheckpoints
		w := checkpoint.Writer{Files: file.OS, RunDir: b.TempDir(), Keep: keep}
		b.SetBytes(bytes)
		for step := 0; b.Loop(); step++ {
			p, err := w.Begin(checkpoint.Meta{Step: step}, tensors)
			b.StopTimer()
			if err == nil {
				_, err = p.Commit()
			}
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
	b.Run("op=read", func(b *testing.B) {
		tensors, bytes := state(b)
		dir := save(b, &checkpoint.Writer{Files: file.OS, RunDir: b.TempDir()}, 0, tensors)
		b.SetBytes(bytes)
		for b.Loop() {
			if _, err := checkpoint.Load(dir, tensors); err != nil {
				b.Fatal(err)
			}
		}
	})
}
