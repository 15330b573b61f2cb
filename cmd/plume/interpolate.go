package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/table"
)

const interpolateLong = "" +
	`Show what lies between rows: the images of latents on the way from one row's posterior mean to
the next one's. The run defaults to the newest, the rows to those that were held out of its
training; --between chooses some of them by their numbers, from 0.

A .png has a line for each way, from row to row; a .npy is ways x steps x the shape of an image. Of
a run on a table a .csv or .parquet has a line for each step of each way (by default
interpolation.csv), and a .npy has encoded rows.`

const interpolateExample = `  plume interpolate 7                         two held-out rows
  plume interpolate 7 --between 3,17,40 --steps 12
  plume interpolate 7 --data new/ -o ways.npy`

type interpolateCommand struct {
	queryCommand
	between string
	steps   int
	chosen  bool // --output was given
}

func newInterpolate() *cobra.Command {
	p := &interpolateCommand{}
	cmd := &cobra.Command{
		Use:     "interpolate [RUN] [flags]",
		Short:   "Images between rows",
		Long:    interpolateLong,
		Example: interpolateExample,
		Args:    oneRun,
		RunE: command(func(cmd *cobra.Command, args []string) error {
			p.chosen = cmd.Flags().Changed("output")
			return p.run(args)
		}),
	}
	flags := cmd.Flags()
	p.addFlags(cmd, heldOutRows, "interpolation.png",
		".png or .npy, of a table .csv, .parquet or .npy")
	flags.StringVar(&p.between, "between", "0,1", "numbers of two rows or more, from 0")
	flags.IntVar(&p.steps, "steps", 10, "images of a way, with its ends")
	return cmd
}

func (p *interpolateCommand) run(args []string) error {
	index, err := parseRows(p.between)
	switch {
	case err != nil:
	case p.steps < 2:
		err = fmt.Errorf("--steps is %d; expected 2 or more", p.steps)
	case !slices.Contains([]string{".png", ".npy", ".csv", ".parquet"}, filepath.Ext(p.out)):
		err = fmt.Errorf("--output is %q; expected a name that ends in .png or .npy, or of a "+
			"run on a table in .csv, .parquet or .npy", p.out)
	default:
		err = checkDirectory(p.out)
	}
	if err != nil {
		return usage(err)
	}
	return p.ask(args, func(ctx context.Context) error {
		if err := p.checkKind(); err != nil {
			return usage(err)
		}
		if _, err := p.read(ctx, false, p.heldOut); err != nil {
			return err
		}
		for _, i := range index {
			if i >= p.source.Len() {
				return usage(fmt.Errorf("--between: row %d; expected 0 to %d", i, p.source.Len()-1))
			}
		}
		p.source = data.Subset(p.source, index)
		rows, err := p.stored.Rows(p.source)
		if err != nil {
			return err
		}
		return p.draw(ctx, rows)
	})
}

// parseRows reads the numbers of two rows or more.
func parseRows(text string) (index []int, err error) {
	wrong := fmt.Errorf("--between is %q; expected the numbers of two rows or more, such as 3,17",
		text)
	for _, part := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 {
			return nil, wrong
		}
		index = append(index, n)
	}
	if len(index) < 2 {
		return nil, wrong
	}
	return index, nil
}

func (p *interpolateCommand) draw(ctx context.Context, rows query.Rows) error {
	var mean []float32
	err := p.slowly("latents of the rows", func() (query.Summary, error) {
		return p.stored.Latents(ctx, rows, p.Options, func(a query.Latents) error {
			mean = append(mean, a.Mean...)
			return nil
		})
	})
	if err != nil {
		return err
	}
	n, d := rows.Images.Len(), len(mean)/rows.Images.Len()
	var pixels []float32
	for i := range n - 1 {
		way, err := p.stored.Interpolate(mean[i*d:(i+1)*d], mean[(i+1)*d:(i+2)*d], p.steps,
			p.stored.Condition(rows, i))
		if err != nil {
			return err
		}
		pixels = append(pixels, way...)
	}
	shape := p.stored.Shape()
	switch filepath.Ext(p.out) {
	case ".csv", ".parquet":
		return p.tabulate(pixels)
	case ".npy":
		p.stored.Config().Unscale(pixels)
		err = npy.WriteFile(p.out, pixels, append([]int{n - 1, p.steps}, shape.Dims(1)[1:]...)...)
	default:
		err = p.stored.View().WriteGrid(p.out, pixels, p.steps)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Println(p.out)
	return err
}

// checkKind refuses an output that does not suit the run's kind of data, and chooses one for a
// table if none is given.
func (p *interpolateCommand) checkKind() error {
	switch ext := filepath.Ext(p.out); {
	case p.onTable() && !p.chosen:
		p.out = "interpolation.csv"
	case p.onTable() && ext == ".png":
		return fmt.Errorf("--output is %q, a picture, and the run was trained on a table: "+
			"expected a name that ends in .csv, .parquet or .npy", p.out)
	case !p.onTable() && (ext == ".csv" || ext == ".parquet"):
		return fmt.Errorf("--output is %q, a table, and the run was trained on none: expected a "+
			"name that ends in .png or .npy", p.out)
	}
	return nil
}

// tabulate writes the encoded rows of the ways as a table.
func (p *interpolateCommand) tabulate(rows []float32) error {
	s := p.stored.Schema()
	cells := table.NewCells(p.out, s, modelled(s))
	columns := append([]table.Column{
		{Name: "way", Kind: table.Int64}, {Name: "step", Kind: table.Int64},
	}, cells.Columns()...)
	return p.table(columns, func(w *table.Writer) error {
		t := s.Decoded(rows, nil)
		ways, steps := make([]int64, t.M), make([]int64, t.M)
		for i := range t.M {
			ways[i], steps[i] = int64(i/p.steps), int64(i%p.steps)
		}
		return w.Append(append([]any{ways, steps}, cells.Blocks(t, data.Range(0, t.M))...)...)
	})
}
