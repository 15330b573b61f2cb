package page

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/run"
)

// tiny trains a small model in a moment, in a directory of the given name.
func tiny(t *testing.T, name string, change func(c *config.Config)) (dir string) {
	t.Helper()
	c := method.Default()
	c.Data, c.Epochs, c.Latent, c.DecoderWidths, c.Threads = "digits", 6, 8, []int{32}, 1
	c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 32, 1, 8
	c.Batch, c.Solver, c.SolverSteps, c.EvalSamples, c.EvalEvery = 100, "ddim", 5, 150, 2
	if change != nil {
		change(&c)
	}
	dir = filepath.Join(t.TempDir(), name)
	if err := run.Create(dir); err != nil {
		t.Fatal(err)
	}
	made, err := trainer.New(t.Context(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(made.Run(t.Context()), made.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// encoder is tiny with an encoder.
func encoder(c *config.Config) {
	vae, _ := method.DefaultFor("vae")
	vae.Data, vae.Epochs, vae.Latent, vae.Threads = "digits", 2, 2, 1
	vae.DecoderWidths, vae.EncoderWidths = []int{32}, []int{16}
	vae.EvalSamples = 150
	*c = vae
}

// tableFile writes a table of 300 rows.
func tableFile(t *testing.T) string {
	t.Helper()
	text := "age,weight,colour\n"
	for i := range 300 {
		text += fmt.Sprintf("%d,%.3f,%s\n", i%31, math.Sin(float64(i)),
			[]string{"red", "<b>", "van"}[i%3])
	}
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// signalFile writes 200 signals of 32 samples of 2 channels.
func signalFile(t *testing.T) string {
	t.Helper()
	x := make([]float32, 200*32*2)
	for i := range x {
		x[i] = float32(math.Sin(float64(i/64)+float64(i%64)/9) + float64(i%2))
	}
	path := filepath.Join(t.TempDir(), "signals.npy")
	if err := npy.WriteFile(path, x, 200, 32, 2); err != nil {
		t.Fatal(err)
	}
	return path
}

func onTable(path string) func(c *config.Config) {
	return func(c *config.Config) { c.Data = path }
}

func onSignals(path string) func(c *config.Config) {
	return func(c *config.Config) { c.Data, c.As, c.Network = path, data.Signals, config.MLP }
}

// rendered reads runs and renders their page.
func rendered(t *testing.T, o Options, dirs ...string) (*Page, string) {
	t.Helper()
	p, err := Read(t.Context(), dirs, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Render(&out, p); err != nil {
		t.Fatal(err)
	}
	return p, out.String()
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
}
