package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/plume-ml/plume/trainer/data/columns"
)

// OpenCells opens the table at a path to read its cells as they are written, with all its columns,
// also those that Options.TableSchema does not have. Row i of the data is its row Origin.Row.
func OpenCells(ctx context.Context, path string, opt Options) (columns.Source, error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	f := s.columnFile(s.kind(), opt)
	if f == nil {
		return nil, fmt.Errorf("data: %s: is no table; expected a file of named columns", path)
	}
	if opt.TableSchema != nil {
		f.given = opt.TableSchema.Given()
	}
	src, err := f.open(ctx, f.given)
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	return src, nil
}

// readLabels reads the column that Options.Labels names, which is no label of the schema, as labels
// of the rows of a: its texts in alphabetical order are the classes.
func (f *columnFile) readLabels(ctx context.Context, a *array) error {
	src, err := f.open(ctx, f.given)
	if err != nil {
		return err
	}
	defer src.Close()
	at := slices.IndexFunc(src.Columns(), func(c columns.Column) bool {
		return c.Name == f.opt.Labels
	})
	var texts []string
	for {
		cells, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		texts = append(texts, cells[at])
	}
	if len(texts) != a.m {
		return fmt.Errorf("has %s, and had %d before; expected a file that does not change while "+
			"it is read", counted(len(texts), "rows"), a.m)
	}
	a.labels, a.classes = make([]int32, a.m), nil
	missing := append([]string{""}, f.schema.Missing...)
	for _, text := range slices.Compact(slices.Sorted(slices.Values(texts))) {
		if !slices.Contains(missing, text) {
			a.classes = append(a.classes, text)
		}
	}
	for i, text := range texts {
		class, found := slices.BinarySearch(a.classes, text)
		if !found {
			class = -1
		}
		a.labels[i] = int32(class)
	}
	return nil
}
