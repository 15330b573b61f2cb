package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/metric"
)

//go:embed twin.py
var script []byte

// twin is PyTorch's implementation of vae+diffusion, on the same rows with the same configuration.
type twin struct {
	native // vae+diffusion
	python string
	about  string // version
	dir    string // for the script and its files
}

// newTwin returns the twin, or why there is none.
func newTwin(ctx context.Context, n native, python, dir string) (*twin, error) {
	if n.precision != blas.Float32 && n.precision != blas.BF16 {
		return nil, fmt.Errorf("it has no products in %s", n.precision)
	}
	const probe = "import torch, numpy; print(torch.__version__)"
	about, err := command(ctx, python, "-c", probe).Output()
	if err != nil {
		return nil, fmt.Errorf("%s cannot import torch and numpy: %w%s", python, err, reason(err))
	}
	t := &twin{native: n, python: python, about: strings.TrimSpace(string(about)), dir: dir}
	return t, os.WriteFile(t.script(), script, 0o666)
}

func (t *twin) script() string { return filepath.Join(t.dir, "twin.py") }

func (t *twin) name() string { return "vae+diffusion in PyTorch " + t.about }

// spec is the description that the script reads.
type spec struct {
	Precision   blas.Precision `json:"precision"`
	Pixels      int            `json:"pixels"`
	Batch       int            `json:"batch"`
	Samples     int            `json:"samples"`
	SolverSteps int            `json:"solver_steps"`
	Steps       int            `json:"steps"` // that are recorded, in tests

	Latent        int   `json:"latent"`
	EncoderWidths []int `json:"encoder_widths"`
	DecoderWidths []int `json:"decoder_widths"`
	ScoreWidth    int   `json:"score_width"`
	ScoreBlocks   int   `json:"score_blocks"`
	ScoreFeatures int   `json:"score_features"`

	LambdaMin float64 `json:"lambda_min"`
	LambdaMax float64 `json:"lambda_max"`
	ObsNoise  float64 `json:"obs_noise"`
	LR        float64 `json:"lr"`
	LREnd     float64 `json:"lr_end"`
	EMA       float64 `json:"ema"`
}

// describe writes the description of a configuration, if the script can do what it says.
func (t *twin) describe(c config.Config, pixels, samples, steps int) error {
	if err := unlike(c); err != nil {
		return err
	}
	solver, err := c.Solver.DefaultSteps()
	if err != nil {
		return err
	}
	text, err := json.Marshal(spec{
		Precision: c.Precision, Pixels: pixels, Batch: c.Batch, Samples: samples,
		SolverSteps: cmp.Or(c.SolverSteps, solver), Steps: steps,
		Latent: c.Latent, EncoderWidths: c.EncoderWidths, DecoderWidths: c.DecoderWidths,
		ScoreWidth: c.ScoreWidth, ScoreBlocks: c.ScoreBlocks, ScoreFeatures: c.ScoreFeatures,
		LambdaMin: c.LambdaMin, LambdaMax: c.LambdaMax, ObsNoise: c.ObsNoise,
		LR: c.LR, LREnd: c.LREnd, EMA: c.EMA,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.dir, "twin.json"), text, 0o666)
}

// written are the values for which the script is written, of keys that change what it computes.
var written = map[string]string{
	"method": "vae+diffusion", "network": "mlp", "likelihood": "clipped", "condition": "none",
	"prior_levels": "sech", "prior_weight": "simple", "prior_warmup": "0", "score_draws": "1",
	"control_variate": "false", "particles": "1", "batch_repeats": "1", "lanes": "1",
	"optimizer": "adam", "lr_schedule": "cosine", "score_lr": "1", "decoder_decay": "0",
	"param_noise": "0", "param_drag": "0", "solver": "dpm++2m",
}

// unlike reports a value for which the script is not written: plume's defaults have changed.
func unlike(c config.Config) error {
	for _, key := range slices.Sorted(maps.Keys(written)) {
		if got := c.Key(key).String(); got != written[key] {
			return fmt.Errorf("twin.py is written for %s = %s, and the configuration has %s: "+
				"change both sides", key, written[key], got)
		}
	}
	return nil
}

func (t *twin) train(ctx context.Context, epochs int, seed uint64) (o outcome, err error) {
	c, err := t.resolved(epochs, seed)
	if err == nil {
		err = t.describe(c, t.all.Shape().Dim(), samples, 0)
	}
	if err != nil {
		return o, err
	}
	r, err := t.rows(ctx, seed)
	if err != nil {
		return o, err
	}
	x := make([]float32, r.train.Len()*r.train.Shape().Dim())
	r.train.Gather(x, data.Range(0, r.train.Len()))
	if err := t.write("rows", x); err != nil {
		return o, err
	}
	out, err := t.run(ctx, "train", t.dir, strconv.Itoa(epochs), strconv.FormatUint(seed, 10))
	if err != nil {
		return o, err
	}
	if o.Seconds, err = strconv.ParseFloat(out, 64); err != nil {
		return o, fmt.Errorf("%s answered %q: %w", t.script(), out, err)
	}
	drawn, err := metric.ReadFeatures(filepath.Join(t.dir, "samples.npy"))
	if err != nil {
		return o, err
	}
	o.FD, err = t.distance(ctx, drawn.X, seed)
	return o, err
}

// write writes numbers as the script reads them.
func (t *twin) write(name string, arrays ...[]float32) error {
	var text bytes.Buffer
	for _, a := range arrays {
		if err := binary.Write(&text, binary.LittleEndian, a); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(t.dir, name), text.Bytes(), 0o666)
}

// run runs the script and returns its last line.
func (t *twin) run(ctx context.Context, args ...string) (string, error) {
	cmd := command(ctx, t.python, append([]string{t.script()}, args...)...)
	n := strconv.Itoa(t.threads)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS="+n, "MKL_NUM_THREADS="+n,
		"OPENBLAS_NUM_THREADS="+n,
		// Arrays are allocated in every step: freed memory is kept, on large pages as plume's.
		"MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=4294967296",
		"GLIBC_TUNABLES=glibc.malloc.hugetlb=1", "THP_MEM_ALLOC_ENABLE=1")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("PyTorch's side: %w%s", err, reason(err))
	}
	return strings.TrimSpace(string(out)), nil
}

// command is a command that a context can end.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// reason is the last line that a failed command wrote on its standard error, after a colon.
func reason(err error) string {
	var failed *exec.ExitError
	if !errors.As(err, &failed) || len(failed.Stderr) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(failed.Stderr)), "\n")
	return ": " + lines[len(lines)-1]
}
