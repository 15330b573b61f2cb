package columns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/suggest"
)

// Options control Infer and Read. The zero value is ready to use.
type Options struct {
	Given *Given // nil: nothing
	// Warn receives warnings to the user; nil drops them.
	Warn func(string)
	// Progress receives now and then how many rows have been read; nil drops it.
	Progress func(rows int)
}

func (o Options) warn(format string, args ...any) {
	if o.Warn != nil {
		o.Warn(fmt.Sprintf(format, args...))
	}
}

// stopRows is the number of rows that are read between two looks at the context.
const stopRows = 1024

// pause reports progress after some rows, and returns an error if ctx has ended.
func (o Options) pause(ctx context.Context, row int) error {
	if row%stopRows != 0 {
		return nil
	}
	if o.Progress != nil && row > 0 {
		o.Progress(row)
	}
	return ctx.Err()
}

// Survey is what Infer found besides the schema.
type Survey struct {
	Rows    int
	Missing []int   // of each column, how many cells
	Bytes   []int64 // of each column, of the known cells as texts
}

// inference is the inference of a schema under way.
type inference struct {
	src      Source
	opt      Options
	schema   *Schema
	parsers  []*parser
	profiles []*profile
	rows     int
}

// Infer reads a source to its end and finds what its columns are, as far as opt.Given does not say.
// The means and scales of the schema are found by Read. Its memory does not grow with the rows.
//
//   - Cells that are all numbers make an integer column if all are whole, otherwise a numeric one;
//     if all are 0 or 1, a boolean one. In files whose delimiter is not a comma, numbers may have a
//     decimal comma.
//   - Cells that are all of one of the pairs true and false, yes and no, t and f, y and n make a
//     boolean column.
//   - Cells that are all dates of one format make a date column. If their days and months can be
//     exchanged, that is an error.
//   - Other cells make a categorical column if they are at most 100 different ones and at most half
//     as many as rows; otherwise a text column, which is not modelled.
//   - If at most a tenth of the cells are no numbers, or no dates, and the others are, or if at
//     most a tenth of a categorical column's are numbers, that is an error.
//   - Cells that are all the same make a constant column, and missing ones an empty column. A
//     column without a name, or named index or id, that counts the rows from 0 or 1 is ignored.
func Infer(ctx context.Context, src Source, opt Options) (*Schema, Survey, error) {
	f := &inference{src: src, opt: opt}
	if err := f.begin(); err != nil {
		return nil, Survey{}, err
	}
	for {
		cells, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = f.take(cells)
		}
		if err == nil {
			err = opt.pause(ctx, f.rows)
		}
		if err != nil {
			return nil, Survey{}, err
		}
		f.rows++
	}
	return f.end()
}

// begin makes the schema of what is known before the first row.
func (f *inference) begin() error {
	f.schema = &Schema{
		Header: f.src.Header(), Delimiter: f.src.Delimiter(), Missing: DefaultMissing,
	}
	names := columnNames(f.src.Columns())
	for _, name := range names {
		f.schema.Columns = append(f.schema.Columns, Column{Name: name})
	}
	if g := f.opt.Given; g != nil {
		if g.Missing != nil {
			f.schema.Missing = g.Missing
		}
		for _, given := range g.Columns {
			i := slices.Index(names, given.Name)
			if i < 0 {
				return fmt.Errorf("has no column %q%s, which the schema file describes; expected "+
					"one of %s", given.Name, suggest.DidYouMean(given.Name, names), listed(names))
			}
			f.schema.Columns[i] = given
		}
	}
	for i := range f.schema.Columns {
		c := &f.schema.Columns[i]
		p, err := f.schema.newParser(c, f.src.Columns()[i], f.src.Delimiter())
		if err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
		most := mostCategories
		if c.Kind.hasCategories() {
			most = mostAskedCategories
		}
		f.parsers = append(f.parsers, p)
		from := f.src.Columns()[i]
		if from.Kind == Text && c.Kind.isNumber() {
			from.Kind = "" // its words are to be numbers
		}
		f.profiles = append(f.profiles, newProfile(from, most))
	}
	return nil
}

// listed lists the first names.
func listed(names []string) string {
	const most = 12
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// take adds a row.
func (f *inference) take(cells []string) error {
	for i, cell := range cells {
		p, of := f.parsers[i], f.profiles[i]
		if p.isMissing(cell) {
			if of.missing == 0 {
				of.missingText = strings.Clone(cell)
			}
			of.missing++
			of.unbroken = false
			continue
		}
		of.take(cell, f.rows, p.comma, f.src.Place)
		if c := p.c; c.isSettled() && c.Kind.Modelled() {
			if _, err := p.value(cell); err != nil {
				return fault{f.src.Place(), c.Name, err.Error()}
			}
		}
	}
	return nil
}

// isSettled reports whether cells can be read as what the column is said to be: of kinds with words
// of their own, these must be known.
func (c *Column) isSettled() bool {
	switch {
	case c.Kind.hasCategories():
		return len(c.Categories) > 0
	case c.Kind == Boolean:
		return c.True != ""
	case c.Kind == Date:
		return c.Format != ""
	}
	return c.Kind != ""
}

// end settles the columns.
func (f *inference) end() (*Schema, Survey, error) {
	survey := Survey{Rows: f.rows}
	if f.rows == 0 {
		return nil, survey, errors.New("has the names of columns and no rows; expected some")
	}
	for i := range f.schema.Columns {
		c, of := &f.schema.Columns[i], f.profiles[i]
		if err := f.settle(c, of); err != nil {
			return nil, survey, fault{"", c.Name, err.Error()}
		}
		survey.Missing = append(survey.Missing, of.missing)
		survey.Bytes = append(survey.Bytes, of.bytes)
	}
	if err := f.checkCommas(); err != nil {
		return nil, survey, err
	}
	if f.schema.Width() == 0 {
		return nil, survey, fmt.Errorf("has no column that can be modelled: %s",
			f.schema.counts())
	}
	return f.schema, survey, nil
}

// checkCommas refuses files in which some columns have decimal commas and others points: one of
// them is what separates thousands.
func (f *inference) checkCommas() error {
	comma, point := -1, -1
	for i, of := range f.profiles {
		if of.comma != "" && f.schema.Columns[i].Kind.isNumber() {
			comma = i
		}
		if of.point != "" && f.schema.Columns[i].Kind.isNumber() {
			point = i
		}
	}
	if comma < 0 || point < 0 {
		return nil
	}
	return fmt.Errorf("has a decimal comma in column %q (%s) and a decimal point in column %q "+
		"(%s); expected the same everywhere: a comma may also separate thousands, "+
		"which must be removed",
		f.schema.Columns[comma].Name, f.profiles[comma].comma, f.schema.Columns[point].Name,
		f.profiles[point].point)
}
