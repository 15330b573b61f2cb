package table

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
)

func init() { data.RegisterTable("PAR1", "a Parquet file", openParquet) }

// parquetSource reads a Parquet file of plain columns, row by row.
type parquetSource struct {
	ctx     context.Context
	file    *os.File
	groups  []parquet.RowGroup // that remain
	rows    parquet.Rows       // of the row group under way; nil: none
	read    []parquet.Row      // a block of them
	left    []parquet.Row      // of read, those that remain
	columns []columns.Column
	text    []func(parquet.Value) (string, error)
	cells   []string
	row     int
}

// readRows is the number of rows that are read at a time.
const readRows = 64

// openParquet opens a file as a columns.Source.
func openParquet(ctx context.Context, path string) (_ columns.Source, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	p := &parquetSource{ctx: ctx, file: file, read: make([]parquet.Row, readRows)}
	if err := checkEnd(file, info.Size()); err != nil {
		return nil, err
	}
	err = guarded(func() error {
		f, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true),
			parquet.SkipBloomFilters(true))
		if err != nil {
			return damaged(err)
		}
		p.groups = f.RowGroups()
		return p.setColumns(f.Root().Columns())
	})
	return p, err
}

// checkEnd checks the end of a file, whose description the library would make room for as long as
// it claims to be: https://parquet.apache.org/docs/file-format/.
func checkEnd(file io.ReaderAt, size int64) error {
	const magic, ends = "PAR1", 8 // the length of the description, and the magic again
	var end [ends]byte
	if _, err := file.ReadAt(end[:], max(0, size-ends)); err != nil {
		return damaged(err)
	}
	length := int64(binary.LittleEndian.Uint32(end[:]))
	if string(end[4:]) != magic || length > size-ends-int64(len(magic)) {
		return damaged(errors.New("it does not end as one"))
	}
	return nil
}

// guarded turns a panic of the library, on a damaged file, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = damaged(fmt.Errorf("%v", p))
		}
	}()
	return f()
}

func damaged(err error) error {
	return fmt.Errorf("is a damaged or truncated Parquet file: %w", err)
}

// setColumns finds out what the columns are. Those of lists, maps and structs are an error.
func (p *parquetSource) setColumns(all []*parquet.Column) error {
	seen := map[string]bool{}
	for i, c := range all {
		name := c.Name()
		if name == "" {
			name = fmt.Sprintf("column%d", i+1)
		}
		if seen[name] {
			return fmt.Errorf("has two columns named %q; expected different names", name)
		}
		seen[name] = true
		if !c.Leaf() || c.Repeated() {
			return fmt.Errorf("column %q holds lists or other nested values; expected one number, "+
				"word, boolean or date in a cell: drop it, df.drop(columns=[%q]), or make columns "+
				"of it (latents and pictures are data as .npy arrays)", name, name)
		}
		column, text, err := cellsOf(c.Type())
		if err != nil {
			return fmt.Errorf("column %q %w", name, err)
		}
		column.Name = name
		p.columns, p.text = append(p.columns, column), append(p.text, text)
	}
	if len(all) == 0 {
		return errors.New("has no columns")
	}
	p.cells = make([]string, len(all))
	return nil
}

// Columns implements columns.Source.
func (p *parquetSource) Columns() []columns.Column { return p.columns }

// Next implements columns.Source.
func (p *parquetSource) Next() ([]string, error) {
	if len(p.left) == 0 {
		if err := guarded(p.fill); err != nil {
			return nil, err
		}
	}
	row := p.left[0]
	p.left = p.left[1:]
	p.row++
	clear(p.cells)
	for _, v := range row {
		i := v.Column()
		if v.IsNull() || i < 0 || i >= len(p.cells) {
			continue
		}
		text, err := p.text[i](v)
		if err != nil {
			return nil, fmt.Errorf("%s, column %q: %w", p.Place(), p.columns[i].Name, err)
		}
		p.cells[i] = text
	}
	return p.cells, nil
}

// fill reads the next rows, at least one. The error is io.EOF at the end of the file.
func (p *parquetSource) fill() error {
	for {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		if p.rows == nil {
			if len(p.groups) == 0 {
				return io.EOF
			}
			p.rows, p.groups = p.groups[0].Rows(), p.groups[1:]
		}
		n, err := p.rows.ReadRows(p.read)
		if err != nil && !errors.Is(err, io.EOF) {
			return damaged(err)
		}
		if err != nil || n == 0 {
			err = p.rows.Close()
			p.rows = nil
		}
		if p.left = p.read[:n]; n > 0 || err != nil {
			return err
		}
	}
}

// Place implements columns.Source.
func (p *parquetSource) Place() string { return fmt.Sprintf("row %d", p.row) }

// Delimiter implements columns.Source.
func (p *parquetSource) Delimiter() string { return "" }

// Header implements columns.Source.
func (p *parquetSource) Header() bool { return true }

// Close implements columns.Source.
func (p *parquetSource) Close() error {
	var err error
	if p.rows != nil {
		err = p.rows.Close()
	}
	return errors.Join(err, p.file.Close())
}

// trimmed is a text without the spaces around it, which count for nothing in CSV files, too.
func trimmed(b []byte) string { return strings.TrimSpace(string(b)) }
