package trainer_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Train a small model on the embedded digits for an epoch, then draw samples from it.
func Example() {
	dir, err := os.MkdirTemp("", "plume")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	cfg := method.Default()
	cfg.Data = "digits"
	cfg.Epochs = 1
	cfg.DecoderWidths = []int{64}
	cfg.ScoreWidth, cfg.ScoreBlocks = 64, 1
	cfg.Solver, cfg.EvalSamples = "dpm++2m", 100

	t, err := trainer.New(context.Background(), cfg, dir, trainer.WithHook(trainer.Hook{
		OnEpoch: func(e record.Epoch) { fmt.Println("epoch", e.Epoch, "step", e.Step) },
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	if err := t.Run(context.Background()); err != nil {
		log.Fatal(err)
	}

	trained, err := run.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	g, err := trained.Generator(true, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	const n = 3
	pixels := make([]float32, n*g.Dim())
	if err := g.Sample(context.Background(), pixels, n, "ddim", 10, 1); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "samples of", g.Shape())
	// Output:
	// epoch 1 step 4
	// 3 samples of 8 x 8
}
