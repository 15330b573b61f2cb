package query_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/run"
)

// Train on a table in which circles have a radius, an area and a size, then complete two rows of
// another. A table is written by package table: its Cells take what Mean and Draws return.
func ExampleStored_Complete() {
	dir, err := os.MkdirTemp("", "plume")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	text := &strings.Builder{}
	fmt.Fprintln(text, "name,radius,area,size")
	for i := range 200 {
		radius, size := 1+float64(i*37%200)/200, "small"
		if radius > 1.5 {
			size = "large"
		}
		fmt.Fprintf(text, "circle %d,%.3f,%.3f,%s\n", i, radius, 3.1416*radius*radius, size)
	}
	circles, holes := filepath.Join(dir, "circles.csv"), filepath.Join(dir, "holes.csv")
	const given = "name,radius,area,size\nmine,1.2,,\nyours,,10.18,large\n"
	for path, text := range map[string]string{circles: text.String(), holes: given} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	ctx := context.Background()
	if err := os.Mkdir(filepath.Join(dir, "run"), 0o700); err != nil {
		log.Fatal(err)
	}
	if err := train(ctx, circles, filepath.Join(dir, "run")); err != nil {
		log.Fatal(err)
	}
	trained, err := run.Open(filepath.Join(dir, "run"))
	if err != nil {
		log.Fatal(err)
	}
	model, err := query.Open(trained, false, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	rows, err := model.Read(ctx, query.Read{Path: holes})
	if err != nil {
		log.Fatal(err)
	}
	_, err = model.Complete(ctx, rows, query.CompleteOptions{}, func(c query.Completed) error {
		t, sure := c.Mean(), c.Uncertainty()
		area, radius := t.Values[2][0], t.Values[1][1]
		fmt.Printf("%s: area 4.5, give or take 0.3: %v, %s\n", t.Text(0, 0),
			area > 4.2 && area < 4.8, t.Text(0, 3))
		fmt.Printf("%s: radius 1.8, give or take 0.1: %v, %s\n", t.Text(1, 0),
			radius > 1.7 && radius < 1.9, t.Text(1, 3))
		fmt.Println("it says that it is off by less than 0.5:", sure[2][0] < 0.5)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// mine: area 4.5, give or take 0.3: true, small
	// yours: radius 1.8, give or take 0.1: true, large
	// it says that it is off by less than 0.5: true
}

// train trains a run on a table, with few networks and steps.
func train(ctx context.Context, path, dir string) error {
	cfg := method.Default()
	cfg.Data, cfg.Epochs, cfg.Batch, cfg.Latent = path, 150, 50, 2
	cfg.DecoderWidths, cfg.ScoreWidth, cfg.ScoreBlocks = []int{32}, 32, 1
	cfg.ObsNoise, cfg.EvalSamples = 0.1, 0
	t, err := trainer.New(ctx, cfg, dir)
	if err != nil {
		return err
	}
	defer t.Close()
	return t.Run(ctx)
}
