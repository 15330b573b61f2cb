package trainer

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/record"
)

// Every test of the package must end the goroutines that it started: those of a trainer end
// with Close.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		runToBeKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// The shape of the runs below: 180 digits in 7 minibatches of 25 or 26, each taken twice.
const (
	runEpochs  = 3
	runBatches = 7
	runRepeats = 2
	runSteps   = runEpochs * runBatches * runRepeats
)

// smallRun is a configuration that trains in a moment and that keeps everything in use that a
// checkpoint must hold.
func smallRun() config.Config {
	c := method.Default()
	c.Data, c.Holdout, c.Batch, c.Epochs, c.Tile, c.Threads = "digits", 0.9, 28, runEpochs, 8, 1
	c.Latent, c.DecoderWidths, c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 4, []int{16}, 16, 1, 8
	c.Particles, c.BatchRepeats, c.CatchUp, c.ScaleAnchor, c.PriorWarmup = 2, runRepeats, 3, 1, 9
	// Large enough for the cloud to widen, so that the anchor acts.
	c.StepSize, c.StepSizeEnd, c.LR = 0.03, 0.01, 5e-3
	c.Solver, c.SolverSteps, c.EvalSamples, c.EvalEvery, c.KeepCheckpoints = "dpm++2m", 3, 50, 2, 0
	c.CheckpointEvery = config.EveryEpochs(2)
	return c
}

// session trains the run that prepare returns. With stop >= 0 the run is interrupted after that
// many steps; with -1 it must end by itself.
func session(t *testing.T, prepare func(...Option) (*Trainer, error), stop int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if stop == 0 {
		cancel()
	}
	tr, err := prepare(WithHook(Hook{OnStep: func(p record.Progress) {
		if p.Step == stop {
			cancel()
		}
	}}))
	if err != nil {
		t.Fatal(err)
	}
	err = tr.Run(ctx)
	if stop < 0 && err != nil || stop >= 0 && !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stop at %d: Run returned %v", stop, err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// startRun trains a new run in dir for one session (see session).
func startRun(t *testing.T, dir string, c config.Config, stop int) {
	t.Helper()
	session(t, func(o ...Option) (*Trainer, error) {
		return New(context.Background(), c, dir, o...)
	}, stop)
}

// resumeRun resumes the run in dir for one session (see session).
func resumeRun(t *testing.T, dir string, c config.Config, stop int) {
	t.Helper()
	session(t, func(o ...Option) (*Trainer, error) {
		return Resume(context.Background(), dir, c, o...)
	}, stop)
}

// warningsTo appends the warnings of a run to list.
func warningsTo(list *[]string) Option {
	return WithHook(Hook{OnWarning: func(text string) { *list = append(*list, text) }})
}

// train runs c in a new directory with interruptions after the given steps, and returns the
// directory. Each session has another number of threads.
func train(t *testing.T, c config.Config, stops ...int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, stop := range append(stops, -1) {
		session(t, func(o ...Option) (*Trainer, error) {
			if i == 0 {
				return New(context.Background(), c, dir, o...)
			}
			c.Threads = 1 + i%3
			return Resume(context.Background(), dir, c, o...)
		}, stop)
	}
	return dir
}

// finalState is the bytes of the newest checkpoint's arrays.
func finalState(t *testing.T, dir string) []byte {
	t.Helper()
	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(latest, "state.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// metricsOf is metrics.jsonl without times and rates.
func metricsOf(t *testing.T, dir string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		delete(record, "time")
		delete(record, "seconds")
		delete(record, "step_seconds")
		delete(record, "checkpoint_seconds")
		delete(record, "rows_per_s")
		delete(record, "phase_seconds")
		delete(record, "product_flop_per_s")
		delete(record, "peak_share")
		delete(record, "exchange_bytes")
		delete(record, "exchange_seconds")
		lines = append(lines, fmt.Sprint(record)) // keys in order
	}
	return lines
}

// writeIDX writes n images of 3 x 3 whose first pixel is as given.
func writeIDX(t *testing.T, path string, n int, first byte) {
	t.Helper()
	raw := []byte{0, 0, 8, 3}
	for _, size := range []int{n, 3, 3} {
		raw = binary.BigEndian.AppendUint32(raw, uint32(size))
	}
	for i := range n * 9 {
		raw = append(raw, byte(37*i))
	}
	raw[16] = first
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeNPY writes n blank gray images of side x side pixels.
func writeNPY(t *testing.T, path string, n, side int) {
	t.Helper()
	if err := npy.WriteFile(path, make([]float32, n*side*side), n, side, side, 1); err != nil {
		t.Fatal(err)
	}
}

// sameRun reports whether two runs have the same final state and the same records.
func sameRun(t *testing.T, a, b string) bool {
	t.Helper()
	return bytes.Equal(finalState(t, a), finalState(t, b)) &&
		slices.Equal(metricsOf(t, a), metricsOf(t, b))
}
