package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/table"
)

// samplesName is the name of the file of samples, without its ending, unless another is given.
const samplesName = "samples"

// checkKind refuses an output that does not suit the run's kind of data, and chooses one for a
// table if none is given.
func (s *sampleCommand) checkKind() error {
	ending := filepath.Ext(s.out)
	switch {
	case s.schema == nil && s.out == stdoutName && term.IsTerminal(int(os.Stdout.Fd())):
		return errors.New("--output is - and stdout is a terminal, which cannot show the bytes " +
			"of a .npy array: expected a pipe, a redirection or the name of a file")
	case s.schema == nil:
		return nil
	case s.cols > 0:
		return errors.New("--cols is about the grid of a .png file, and the run was trained on a " +
			"table: leave it out")
	case !s.chosen:
		s.out = samplesName + ".csv"
		return prefix("--output", table.CheckPath(s.out, table.Column{Name: "row"}))
	case isFolder(s.out) || ending == ".png":
		return fmt.Errorf("--output is %q, which would hold pictures, and the run was trained on "+
			"a table: expected a name that ends in %s, or - for CSV to stdout", s.out,
			strings.Join(table.Endings(), ", "))
	}
	return nil
}

// drawn is what is drawn.
func (s *sampleCommand) drawn() string {
	if s.schema != nil {
		return "rows"
	}
	return "images"
}

// cellsOutput is a row of cells for each sample, with its seed before it, where it has one.
type cellsOutput struct {
	*table.Writer
	cells  table.Cells
	schema *columns.Schema
}

func newCellsOutput(path string, p *samplePlan, s *columns.Schema) (*cellsOutput, error) {
	var of []int
	var left []string
	for i := range s.Columns {
		switch s.Columns[i].Kind {
		case columns.Text, columns.Ignore:
			left = append(left, s.Columns[i].Name)
		case columns.Label:
			if !p.named {
				left = append(left, s.Columns[i].Name)
				continue
			}
			of = append(of, i)
		default:
			of = append(of, i)
		}
	}
	if len(left) > 0 {
		notice("not written, since the model does not draw them: " + strings.Join(left, ", "))
	}
	o := &cellsOutput{cells: table.NewCells(path, s, of), schema: s}
	all := o.cells.Columns()
	if p.seeds != nil {
		all = append([]table.Column{{Name: "seed", Kind: table.Int64}}, all...)
	}
	var err error
	o.Writer, err = table.CreateCSV(path, table.CSVOf(s), all...)
	return o, err
}

func (o *cellsOutput) add(b sampleBlock) error {
	t := o.schema.Decoded(b.pixels, nil)
	if b.classes != nil {
		t.SetLabels(b.classes)
	}
	blocks := o.cells.Blocks(t, data.Range(0, b.n))
	if b.seeds != nil {
		blocks = append([]any{b.seeds}, blocks...)
	}
	return o.Append(blocks...)
}

func (o *cellsOutput) close() error { return o.Close() }
func (o *cellsOutput) abandon()     { o.Abandon() }
