package trainer_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Train on the embedded digits, then draw new ones: the lines of the README.
func Example() {
	ctx := context.Background()
	cfg := method.Default() // ipld; or method.DefaultFor("vae")
	cfg.Epochs = 20
	images, err := data.Open(ctx, "digits", data.Options{}) // or data.Table{D: 64, X: pixels}
	check(err)
	model, err := trainer.Train(ctx, cfg, images)
	check(err)
	defer model.Close()
	pixels, err := model.Sample(ctx, 16, 1) // 16 new images, from seed 1
	check(err)
	latents, err := model.Latents() // one of each training image
	check(err)
	fmt.Println(len(pixels)/64, "new images;", len(latents)/cfg.Latent, "latents")
	// Output:
	// 16 new images; 1797 latents
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Train a small model on points of a circle, then draw new points from it.
func ExampleTrain() {
	circle := data.Table{D: 2}
	for i := range 1000 {
		sin, cos := math.Sincos(float64(i))
		circle.X = append(circle.X, float32(cos), float32(sin))
	}
	cfg := method.Default()
	cfg.Epochs, cfg.Batch, cfg.Latent, cfg.ObsNoise = 200, 100, 2, 0.1
	cfg.DecoderWidths, cfg.ScoreWidth, cfg.ScoreBlocks = []int{64}, 64, 1

	ctx := context.Background()
	model, err := trainer.Train(ctx, cfg, circle)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	samples, err := model.Sample(ctx, 500, 1)
	if err != nil {
		log.Fatal(err)
	}
	latents, err := model.Latents()
	if err != nil {
		log.Fatal(err)
	}
	var radius float64
	for i := 0; i < len(samples); i += 2 {
		radius += math.Hypot(float64(samples[i]), float64(samples[i+1])) / 500
	}
	fmt.Printf("%d samples of mean radius %.1f\n", len(samples)/2, radius)
	fmt.Println(len(latents)/cfg.Latent, "latents of", cfg.Latent, "numbers")
	// Output:
	// 500 samples of mean radius 1.0
	// 1000 latents of 2 numbers
}

// Ask a model of pairs of opposite numbers for the second of a pair, and how likely pairs are.
func ExampleModel_Query() {
	pairs := data.Table{D: 2}
	for i := range 1000 {
		x := float32(math.Sin(float64(i)))
		pairs.X = append(pairs.X, x, -x)
	}
	cfg := method.Default()
	cfg.Epochs, cfg.Batch, cfg.Latent, cfg.ObsNoise = 100, 100, 1, 0.1
	cfg.DecoderWidths, cfg.ScoreWidth, cfg.ScoreBlocks = []int{32}, 32, 1

	ctx := context.Background()
	model, err := trainer.Train(ctx, cfg, pairs)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	ask, err := model.Query()
	if err != nil {
		log.Fatal(err)
	}
	half := query.Rows{
		Images:  data.Table{D: 2, X: []float32{0.5, 0}},
		Missing: &data.Missing{D: 2, At: []bool{false, true}}, // the second number is not known
	}
	_, err = ask.Impute(ctx, half, query.Options{}, func(a query.Imputations) error {
		fmt.Printf("the other is %.1f, give or take %.1f\n", a.Mean[1], a.Std[1])
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	two := query.Rows{Images: data.Table{D: 2, X: []float32{0.5, -0.5, 0.5, 0.5}}}
	_, err = ask.Score(ctx, two, query.ScoreOptions{Samples: 200}, func(a query.Scores) error {
		fmt.Println("opposite numbers are likelier:", a.LogP[0] > a.LogP[1])
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// the other is -0.5, give or take 0.1
	// opposite numbers are likelier: true
}

// Train on a table of a number, the sign of which a truth value tells, where a fifth of the truth
// values are not known; then ask for those of two numbers. A file (CSV, Parquet) is read by
// data.Open, which finds its columns and their likelihoods.
func ExampleTrain_columns() {
	table := data.Table{D: 2}
	for i := range 1000 {
		x := math.Sin(float64(i))
		positive := float32(0)
		if x > 0 {
			positive = 1
		}
		table.X = append(table.X, float32(x), positive)
		table.Missing = append(table.Missing, false, i%5 == 0)
	}
	cfg := method.Default()
	cfg.Likelihood, cfg.ObsNoise = "normal,bernoulli", 0.05
	cfg.Epochs, cfg.Batch, cfg.Latent = 200, 100, 2
	cfg.DecoderWidths, cfg.ScoreWidth, cfg.ScoreBlocks = []int{32}, 32, 1

	ctx := context.Background()
	model, err := trainer.Train(ctx, cfg, table)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	ask, err := model.Query()
	if err != nil {
		log.Fatal(err)
	}
	rows := query.Rows{
		Images:  data.Table{D: 2, X: []float32{0.7, 0, -0.7, 0}},
		Missing: &data.Missing{D: 2, At: []bool{false, true}},
	}
	_, err = ask.Impute(ctx, rows, query.Options{}, func(a query.Imputations) error {
		for i := range 2 {
			x, p := rows.Images.(data.Table).X[2*i], a.Mean[2*i+1]
			fmt.Printf("%4.1f is positive: %v\n", x, p > 0.9)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	//  0.7 is positive: true
	// -0.7 is positive: false
}

// Train a run on the embedded digits for an epoch, in a directory that keeps its records,
// checkpoints and pictures; then load it and draw samples.
func ExampleNew() {
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
	cfg.EvalSamples = 100
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
	if err := g.Sample(context.Background(), pixels, n, generate.Spec{
		Solver: "ddim", Steps: 10, Seed: 1,
	}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "samples of", g.Shape())
	// Output:
	// epoch 1 step 4
	// 3 samples of 8 x 8
}
