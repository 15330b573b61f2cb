package data

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/suggest"
)

// columnFile is a table of named columns in a file.
type columnFile struct {
	path   string
	format string // "a CSV file"
	open   func(context.Context, *columns.Given) (columns.Source, error)
	opt    Options
	given  *columns.Given // nil: nothing
	schema *columns.Schema
	survey columns.Survey
	beside bool // Options.Labels names a column that is no label of Options.TableSchema
}

// OpenTable opens a table in a file of some format. The error need not name the file.
type OpenTable func(ctx context.Context, path string) (columns.Source, error)

// tableFormat is a format of tables that another package reads.
type tableFormat struct {
	magic, name string
	open        OpenTable
}

var tableFormats []tableFormat

// RegisterTable makes Find read the files that begin with magic as tables: with open, which reads a
// format of the given name, such as "a Parquet file". It is for the init functions of packages that
// read a format, as image.RegisterFormat is.
func RegisterTable(magic, name string, open OpenTable) {
	tableFormats = append(tableFormats, tableFormat{magic, name, open})
}

const gzipped = ", gzipped"

// tableEndings are the ends of names of CSV files.
var tableEndings = []string{".csv", ".tsv", ".psv", ".tab"}

// columnFile returns the table that s has just opened; nil if it is none.
func (s *source) columnFile(k kind, opt Options) *columnFile {
	if k != kindOther {
		return nil
	}
	head, _ := s.r.Peek(bufferBytes) // less if the file is shorter
	for _, format := range tableFormats {
		if bytes.HasPrefix(head, []byte(format.magic)) && !s.gzip {
			open := func(ctx context.Context, _ *columns.Given) (columns.Source, error) {
				return format.open(ctx, s.path)
			}
			return &columnFile{path: s.path, format: format.name, open: open, opt: opt}
		}
	}
	name := strings.TrimSuffix(strings.ToLower(s.path), ".gz")
	named := slices.Contains(tableEndings, filepath.Ext(name))
	looks := isText(head[:min(len(head), foreignHead)]) && columns.LooksLikeTable(head)
	if foreigner(head) != "" || !named && !looks {
		return nil
	}
	f := &columnFile{path: s.path, format: "a CSV file", opt: opt}
	if s.gzip {
		f.format += gzipped
	}
	f.open = f.openCSV
	return f
}

func (f *columnFile) openCSV(ctx context.Context, given *columns.Given) (columns.Source, error) {
	s, err := openSource(ctx, f.path)
	if err != nil {
		return nil, err
	}
	t, err := columns.OpenCSV(s, given)
	if err != nil {
		s.close()
		return nil, err
	}
	return t, nil
}

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) { return s.r.Read(b) }

// Close implements io.Closer.
func (s *source) Close() error {
	s.close()
	return nil
}

// fail names the file in an error of package columns.
func (f *columnFile) fail(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case strings.HasPrefix(err.Error(), "data: "):
		return err
	case strings.HasSuffix(f.format, gzipped) && (isEnd(err) ||
		errors.Is(err, gzip.ErrChecksum) || errors.As(err, new(flate.CorruptInputError))):
		return fmt.Errorf("data: %s: is a damaged or truncated gzip file: %w", f.path, err)
	}
	return fmt.Errorf("data: %s: %w", f.path, err)
}

// find finds out what the columns are, which takes a pass over the file.
func (f *columnFile) find(ctx context.Context) (*Found, error) {
	if err := f.checkOptions(); err != nil {
		return nil, err
	}
	var err error
	if t := f.opt.TableSchema; t != nil {
		f.given = t.Given()
	} else if f.opt.Schema != "" {
		if f.given, err = columns.ReadGiven(f.opt.Schema); err != nil {
			return nil, err
		}
	}
	src, err := f.openMatched(ctx, f.opt)
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	defer src.Close()
	inFile, err := f.label(ctx)
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	f.schema, f.survey, err = columns.Infer(ctx, src, f.options())
	f.progress("")
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	if err := checkLabels(f.schema); err != nil {
		return nil, f.fail(ctx, err)
	}
	found := f.found()
	found.labelColumn = !inFile
	return found, nil
}

// checkOptions refuses options that do not apply to tables.
func (f *columnFile) checkOptions() error {
	if err := f.opt.refuse(f.path, f.format); err != nil {
		return err
	}
	switch as := f.opt.As; {
	case as != "" && as != Auto && as != Columns:
		return fmt.Errorf("data: %s: --as %s does not apply to %s, whose rows have named columns; "+
			"expected --as %s, or an array (.npy)", f.path, as, f.format, Columns)
	case f.opt.Range != nil:
		return fmt.Errorf("data: %s: --range applies to arrays, and this is %s, whose columns are "+
			"standardised", f.path, f.format)
	}
	return nil
}

// options are those of package columns.
func (f *columnFile) options() columns.Options {
	return columns.Options{
		Given: f.given,
		Warn:  func(text string) { f.opt.warn("data: %s: %s", f.path, text) },
		Progress: func(rows int) {
			f.progress(counted(rows, "rows"))
		},
	}
}

func (f *columnFile) progress(text string) {
	if f.opt.Progress != nil {
		f.opt.Progress(text)
	}
}

// openMatched opens the table: with the columns of Options.TableSchema, if that is given. It warns
// with opt of columns that only one of them has.
func (f *columnFile) openMatched(ctx context.Context, opt Options) (columns.Source, error) {
	src, err := f.open(ctx, f.given)
	if err != nil || f.opt.TableSchema == nil {
		return src, err
	}
	as, absent, extra, err := columns.Match(src, f.opt.TableSchema)
	if err != nil {
		src.Close()
		return nil, err
	}
	if len(absent) > 0 {
		opt.warn("data: %s: has no column %s: their cells count as missing", f.path,
			strings.Join(firstOf(absent, maxListed), ", "))
	}
	if len(extra) > 0 {
		opt.warn("data: %s: its columns %s are none of the model's, and are not read", f.path,
			strings.Join(firstOf(extra, maxListed), ", "))
	}
	return as, nil
}

// label makes the column that Options.Labels names the labels. It reports whether that names a file
// of labels and no column.
func (f *columnFile) label(ctx context.Context) (inFile bool, err error) {
	name := f.opt.Labels
	if name == "" {
		return false, nil
	}
	src, err := f.open(ctx, f.given) // with the columns that the schema does not have, too
	if err != nil {
		return false, err
	}
	names := columns.Names(src)
	if err := src.Close(); err != nil {
		return false, err
	}
	_, err = os.Stat(name)
	isFile, isColumn := err == nil, slices.Contains(names, name)
	switch {
	case isFile && isColumn:
		return false, fmt.Errorf("has a column %q, and there is a file of that name; expected "+
			"--labels to be one of them: ./%s for the file", name, name)
	case isFile:
		return true, nil
	case !isColumn:
		return false, fmt.Errorf("has no column %q%s, and there is no file of that name; expected "+
			"--labels to be one of its columns (%s), or a file of labels", name,
			suggest.DidYouMean(name, names), strings.Join(firstOf(names, maxListed), ", "))
	case f.opt.TableSchema != nil:
		i := f.opt.TableSchema.Column(name)
		f.beside = i < 0 || f.opt.TableSchema.Columns[i].Kind != columns.Label
		return false, nil
	}
	return false, f.giveLabel(name)
}

// giveLabel adds to what is given that the column is the label.
func (f *columnFile) giveLabel(name string) error {
	given := columns.Given{}
	if f.given != nil {
		given = *f.given
	}
	given.Columns = slices.Clone(given.Columns)
	i := slices.IndexFunc(given.Columns, func(c columns.Column) bool { return c.Name == name })
	if i < 0 {
		i = len(given.Columns)
		given.Columns = append(given.Columns, columns.Column{Name: name})
	}
	c := &given.Columns[i]
	if c.Kind != "" && c.Kind != columns.Label {
		return fmt.Errorf("column %q is the label by --labels, and %s by the schema file; "+
			"expected one of them", name, c.Kind)
	}
	c.Kind = columns.Label
	f.given = &given
	return nil
}

// found describes the table.
func (f *columnFile) found() *Found {
	rows, s := f.survey.Rows, f.schema
	found := &Found{
		Len: rows, Kind: Columns, Shape: Shape{1, s.Width(), 1}, Likelihood: s.Likelihood(),
		Bytes: memory.Array[float32](rows, s.Width()), Loading: memory.Array[float64](2, rows),
		images: f,
	}
	anyMissing := false
	for i := range s.Columns {
		c := &s.Columns[i]
		switch {
		case c.Kind == columns.Text || c.Kind == columns.Ignore:
			found.Bytes += memory.Array[string](rows) + f.survey.Bytes[i]
		case c.Kind != columns.Empty:
			found.Bytes += memory.Array[float64](rows)
		}
		if c.Kind == columns.Label {
			found.Bytes += memory.Array[int32](rows)
			found.labelled = true
			found.Summary.LabelsFrom = fmt.Sprintf("the column %q", c.Name)
		}
		anyMissing = anyMissing || c.Kind.Modelled() && f.survey.Missing[i] > 0
	}
	if f.beside {
		found.Bytes += memory.Array[int32](rows)
		found.labelled = true
		found.Summary.LabelsFrom = fmt.Sprintf("the column %q", f.opt.Labels)
	}
	mask := memory.Array[bool](rows, s.Width())
	if found.Loading = max(found.Loading, mask); anyMissing {
		found.Bytes += mask
	}
	found.Summary.Format = f.format
	return found
}

// readImages implements imageReader.
func (f *columnFile) readImages(ctx context.Context) (*array, error) {
	quiet := f.opt
	quiet.Warn = nil // it has been said
	src, err := f.openMatched(ctx, quiet)
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	defer src.Close()
	table, err := columns.Read(ctx, src, f.schema, f.survey.Rows, f.options())
	f.progress("")
	if err != nil {
		return nil, f.fail(ctx, err)
	}
	a := newTableArray(table)
	if f.beside {
		if err := f.readLabels(ctx, a); err != nil {
			return nil, f.fail(ctx, err)
		}
	}
	return a, nil
}
