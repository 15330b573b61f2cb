package table

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

const (
	// groupBytes is the size of the rows of a row group, which the library holds in memory until
	// the group is complete.
	groupBytes = 16 << 20
	// blockValues is the number of values that are converted at a time, or a cell's if it has more.
	blockValues = 4096
)

// parquetFile writes a Parquet file.
type parquetFile struct {
	to      *parquet.GenericWriter[any]
	columns []Column
	group   int // rows of a row group
	held    int // rows of the group under way
	values  []parquet.Value
}

func newParquet(to io.Writer, columns []Column) *parquetFile {
	size := 0
	options := []parquet.WriterOption{parquet.Compression(&parquet.Snappy)}
	schema := schema{parquet.Group{}, nil}
	for _, c := range columns {
		size += c.bytes()
		schema.names = append(schema.names, c.Name)
		schema.Group[c.Name] = c.node()
		if len(c.Dims) > 0 {
			shape := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(c.Dims)), ","), "[]")
			options = append(options, parquet.KeyValueMetadata("plume.shape."+c.Name, shape))
		}
	}
	options = append(options, parquet.NewSchema("table", schema))
	return &parquetFile{
		to: parquet.NewGenericWriter[any](to, options...), columns: columns,
		group: max(1, groupBytes/size),
	}
}

// schema is a group whose fields keep their order; those of a plain Group are sorted.
type schema struct {
	parquet.Group
	names []string
}

func (s schema) Fields() []parquet.Field {
	fields := s.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(s.names, a.Name()) - slices.Index(s.names, b.Name())
	})
	return fields
}

// node returns the type of a column.
func (c Column) node() parquet.Node {
	var node parquet.Node
	switch c.Kind {
	case Float32:
		node = parquet.Leaf(parquet.FloatType)
	case Float64:
		node = parquet.Leaf(parquet.DoubleType)
	case Int64:
		node = parquet.Leaf(parquet.Int64Type)
	case Number:
		node = parquet.Leaf(parquet.DoubleType)
	case Whole:
		node = parquet.Leaf(parquet.Int64Type)
	case Truth:
		node = parquet.Leaf(parquet.BooleanType)
	case Day:
		node = parquet.Date()
	case Time:
		node = parquet.Timestamp(parquet.Microsecond)
	default:
		node = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	if c.Kind >= Text {
		return parquet.Optional(node)
	}
	if len(c.Dims) > 0 {
		return parquet.List(node)
	}
	return node
}

func (p *parquetFile) append(blocks []any, rows int) error {
	for done := 0; done < rows; {
		n := min(rows-done, p.group-p.held)
		for i, c := range p.columns {
			if err := p.column(i, blocks[i], done*c.size(), (done+n)*c.size()); err != nil {
				return err
			}
		}
		done, p.held = done+n, p.held+n
		if p.held == p.group {
			if err := p.to.Flush(); err != nil {
				return err
			}
			p.held = 0
		}
	}
	return nil
}

// column writes elements lo to hi of a block, whole cells of column i.
func (p *parquetFile) column(i int, block any, lo, hi int) error {
	size := p.columns[i].size()
	step := max(1, blockValues/size) * size
	for ; lo < hi; lo += step {
		p.values = appendValues(p.values[:0], p.columns[i].Kind, block, lo, min(hi, lo+step))
		for at := range p.values {
			repetition, definition := 0, 0
			switch {
			case len(p.columns[i].Dims) > 0:
				repetition, definition = min(1, at%size), 1 // the first of a cell begins a list
			case p.columns[i].Kind >= Text && !p.values[at].IsNull():
				definition = 1
			}
			p.values[at] = p.values[at].Level(repetition, definition, i)
		}
		if _, err := p.to.ColumnWriters()[i].WriteRowValues(p.values); err != nil {
			return err
		}
	}
	return nil
}

func appendValues(
	values []parquet.Value, kind Kind, block any, lo, hi int,
) []parquet.Value {
	switch x := block.(type) {
	case []float32:
		for _, v := range x[lo:hi] {
			values = append(values, parquet.FloatValue(v))
		}
	case []float64:
		for _, v := range x[lo:hi] {
			values = append(values, cellValue(kind, v))
		}
	case []int64:
		for _, v := range x[lo:hi] {
			values = append(values, parquet.Int64Value(v))
		}
	case []string:
		for _, v := range x[lo:hi] {
			if value := parquet.ByteArrayValue([]byte(v)); v != "" || kind == String {
				values = append(values, value)
			} else {
				values = append(values, parquet.NullValue())
			}
		}
	}
	return values
}

// cellValue is a number as a value of its kind.
func cellValue(kind Kind, v float64) parquet.Value {
	const day = 24 * 3600
	switch {
	case kind == Float64:
		return parquet.DoubleValue(v)
	case math.IsNaN(v):
		return parquet.NullValue()
	case kind == Whole:
		return parquet.Int64Value(int64(v))
	case kind == Truth:
		return parquet.BooleanValue(v != 0)
	case kind == Day:
		return parquet.Int32Value(int32(math.Floor(v / day)))
	case kind == Time:
		return parquet.Int64Value(micros(v))
	}
	return parquet.DoubleValue(v)
}

func (p *parquetFile) finish(int) error { return p.to.Close() }
