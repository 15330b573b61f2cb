package table

import (
	"bufio"
	"bytes"
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// csv writes records of RFC 4180 with lines that end in LF.
type csv struct {
	to        *bufio.Writer
	columns   []Column
	delimiter string
	line      []byte
}

func newCSV(to *bufio.Writer, way CSV, columns []Column) (*csv, error) {
	c := &csv{to: to, columns: columns, delimiter: cmp.Or(way.Delimiter, ",")}
	if way.NoHeader {
		return c, nil
	}
	for _, column := range columns {
		for _, name := range column.names() {
			c.quote(name)
		}
	}
	return c, c.end()
}

// end writes the line, which ends with a delimiter.
func (c *csv) end() error {
	c.line = append(c.line[:len(c.line)-len(c.delimiter)], '\n')
	_, err := c.to.Write(c.line)
	c.line = c.line[:0]
	return err
}

func (c *csv) append(blocks []any, rows int) error {
	for row := range rows {
		for i, column := range c.columns {
			n := column.size()
			for at := row * n; at < (row+1)*n; at++ {
				c.element(column.Kind, blocks[i], at)
			}
		}
		if err := c.end(); err != nil {
			return err
		}
	}
	return nil
}

func (c *csv) finish(int) error { return c.to.Flush() }

// element adds an element of a block of a column to the line.
func (c *csv) element(kind Kind, block any, at int) {
	switch x := block.(type) {
	case []float32:
		c.line = appendFloat(c.line, float64(x[at]), 32)
	case []float64:
		c.line = appendCell(c.line, kind, x[at])
	case []int64:
		c.line = strconv.AppendInt(c.line, x[at], 10)
	default:
		if text := block.([]string)[at]; text != "" || kind == String || len(c.columns) == 1 {
			c.quote(text)
			return
		}
	}
	c.line = append(c.line, c.delimiter...)
}

// appendCell appends a number as its kind is read: nothing where it is missing.
func appendCell(line []byte, kind Kind, v float64) []byte {
	switch {
	case kind == Float64:
		return appendFloat(line, v, 64)
	case math.IsNaN(v):
		return line
	case kind == Number:
		return appendFloat(line, v, 64)
	case kind == Truth:
		return strconv.AppendBool(line, v != 0)
	case kind == Day:
		return moment(v).AppendFormat(line, time.DateOnly)
	case kind == Time:
		return moment(v).AppendFormat(line, "2006-01-02T15:04:05.999999Z")
	}
	return strconv.AppendFloat(line, v, 'f', -1, 64)
}

// moment is a time in UTC, to the microsecond.
func moment(seconds float64) time.Time { return time.UnixMicro(micros(seconds)).UTC() }

func micros(seconds float64) int64 { return int64(math.Round(seconds * 1e6)) }

// appendFloat appends the shortest decimal that is v among the floats of that many bits.
func appendFloat(line []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(line, "NaN"...)
	case math.IsInf(v, 1):
		return append(line, "Inf"...)
	case math.IsInf(v, -1):
		return append(line, "-Inf"...)
	}
	start := len(line)
	line = strconv.AppendFloat(line, v, 'g', -1, bits)
	if !bytes.ContainsAny(line[start:], ".e") {
		line = append(line, ".0"...) // or it looks like an integer
	}
	return line
}

// quote adds a string and a delimiter to the line, in quotes where a reader needs them. An empty
// one has quotes, since a line with nothing but an empty string would be skipped by readers.
func (c *csv) quote(s string) {
	bare := s != "" && !strings.ContainsAny(s, "\"\r\n") && !strings.Contains(s, c.delimiter) &&
		strings.TrimSpace(s) == s
	if !bare {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	c.line = append(append(c.line, s...), c.delimiter...)
}
