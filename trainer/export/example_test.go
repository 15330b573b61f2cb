package export_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/export"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// A run is exported, and its description read from the file.
func ExampleFromRun() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cfg := context.Background(), method.Default()
	cfg.Data, cfg.Epochs, cfg.EvalSamples = "digits", 1, 0
	cfg.Latent, cfg.DecoderWidths, cfg.ScoreWidth = 4, []int{16}, 16
	t, err := trainer.New(ctx, cfg, dir)
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	if err := t.Run(ctx); err != nil {
		log.Fatal(err)
	}

	stored, err := run.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	m, err := export.FromRun(stored, export.Options{})
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(dir, "model.safetensors")
	if err := m.Write(file.OS, path); err != nil {
		log.Fatal(err)
	}

	f, err := export.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Method, f.Data.Shape, f.Latent, f.Weights, f.Networks[export.Decoder].Parameters)
	// Output: ipld 8 x 8 x 1 4 averaged 1168
}
