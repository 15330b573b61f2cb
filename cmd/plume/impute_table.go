package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/table"
)

// checkKind refuses flags that do not suit the run's kind of data.
func (m *imputeCommand) checkKind() error {
	const remedy = ": leave it out; of a table the cells are missing that are empty"
	switch {
	case !m.onTable() && m.std:
		return errors.New("--std is for runs on a table: the others have std anyway")
	case !m.onTable():
		return nil
	case m.hole != "":
		return errors.New("--hole is for pictures, and the run was trained on a table" + remedy)
	case m.mask != "":
		return errors.New("--mask is for arrays, and the run was trained on a table" + remedy)
	case m.isPicture():
		return fmt.Errorf("--output is %q, a picture, and the run was trained on a table: "+
			"expected a name that ends in .csv, .npz or .parquet, or -", m.out)
	case m.std && m.completions:
		return errors.New("--std and --completions exclude each other: the draws are what is told")
	}
	return nil
}

// complete writes the table with its missing cells filled in.
func (m *imputeCommand) complete(ctx context.Context) error {
	s := m.stored.Schema()
	cells := table.NewCells(m.out, s, data.Range(0, len(s.Columns)))
	columns, sure := cells.Columns(), unsure{s, modelled(s)}
	switch {
	case m.std:
		columns = append(columns, sure.columns()...)
	case m.completions:
		columns = append([]table.Column{{Name: "completion", Kind: table.Int64}}, columns...)
	}
	o := query.CompleteOptions{Written: cells.AreTexts(), Path: m.data}
	return m.tableAs(table.CSVOf(s), columns, func(w *table.Writer) error {
		return m.slowly("imputing", func() (query.Summary, error) {
			o.Options = m.Options
			return m.stored.Complete(ctx, m.source, o, func(c query.Completed) error {
				if m.completions {
					return w.Append(m.numbered(cells, c.Draws())...)
				}
				blocks := cells.Blocks(c.Mean(), data.Range(0, c.Rows))
				if m.std {
					blocks = append(blocks, sure.blocks(c.Uncertainty())...)
				}
				return w.Append(blocks...)
			})
		})
	})
}

// numbered are completions, after the number of each for its row.
func (m *imputeCommand) numbered(cells table.Cells, draws *columns.Table) []any {
	numbers := make([]int64, draws.M)
	for i := range numbers {
		numbers[i] = int64(i % m.Particles)
	}
	return append([]any{numbers}, cells.Blocks(draws, data.Range(0, draws.M))...)
}
