package table

import (
	"bufio"
	"bytes"
	"math"
	"strconv"
	"strings"
)

// csv writes records of RFC 4180 with lines that end in LF.
type csv struct {
	to      *bufio.Writer
	columns []Column
	line    []byte
}

func newCSV(to *bufio.Writer, columns []Column) (*csv, error) {
	c := &csv{to: to, columns: columns}
	for _, column := range columns {
		for _, name := range column.names() {
			c.line = append(appendQuoted(c.line, name), ',')
		}
	}
	return c, c.end()
}

// end writes the line, whose last byte is a comma.
func (c *csv) end() error {
	c.line[len(c.line)-1] = '\n'
	_, err := c.to.Write(c.line)
	c.line = c.line[:0]
	return err
}

func (c *csv) append(blocks []any, rows int) error {
	for row := range rows {
		for i, column := range c.columns {
			n := column.size()
			for at := row * n; at < (row+1)*n; at++ {
				c.line = append(appendElement(c.line, blocks[i], at), ',')
			}
		}
		if err := c.end(); err != nil {
			return err
		}
	}
	return nil
}

func (c *csv) finish(int) error { return c.to.Flush() }

func appendElement(line []byte, block any, at int) []byte {
	switch x := block.(type) {
	case []float32:
		return appendFloat(line, float64(x[at]), 32)
	case []float64:
		return appendFloat(line, x[at], 64)
	case []int64:
		return strconv.AppendInt(line, x[at], 10)
	default:
		return appendQuoted(line, block.([]string)[at])
	}
}

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

// appendQuoted appends a string, in quotes where a reader needs them. An empty one has quotes,
// since a line with nothing but an empty string would be skipped by readers.
func appendQuoted(line []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, "\",\r\n") && strings.TrimSpace(s) == s {
		return append(line, s...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(s, `"`, `""`)...)
	return append(line, '"')
}
