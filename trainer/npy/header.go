package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// quotedBytes is the length at which a header is cut in errors.
const quotedBytes = 200

func quote(text string) string {
	if len(text) <= quotedBytes {
		return strconv.Quote(text)
	}
	return strconv.Quote(text[:quotedBytes]) + "..."
}

// parseHeader reads the dictionary of a header, whose keys may come in any order.
func parseHeader(text string) (h Header, err error) {
	p := parser{rest: text}
	v, err := p.value(0)
	if err != nil {
		return Header{}, err
	}
	if p.space(); p.rest != "" {
		return Header{}, fmt.Errorf("%s follows the dictionary", quote(p.rest))
	}
	d, ok := v.(dict)
	if !ok {
		return Header{}, errors.New("it is no dictionary")
	}
	descr, ok := d["descr"]
	if !ok {
		return Header{}, errors.New("descr is missing")
	}
	if h.Fortran, ok = d["fortran_order"].(bool); !ok {
		return Header{}, errors.New("fortran_order is missing, or neither True nor False")
	}
	shape, ok := d["shape"].(list)
	if !ok {
		return Header{}, errors.New("shape is missing, or no tuple")
	}
	for _, v := range shape.items {
		n, ok := v.(int)
		if !ok || n < 0 {
			return Header{}, fmt.Errorf("shape holds %v; expected whole numbers that are not "+
				"negative", v)
		}
		h.Dims = append(h.Dims, n)
	}
	h.Dtype = parseDtype(descr)
	return h, nil
}

// dict and list are Python's dictionaries, and its tuples or lists; strings, integers and booleans
// are string, int and bool.
type dict map[string]any
type list struct {
	items []any
	text  string // its source
}

func (l list) String() string { return l.text }

// parser reads the Python literals of headers.
type parser struct{ rest string }

// maxNesting limits the depth of nested literals.
const maxNesting = 16

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n\f") }

// take removes the prefix from the rest, if it is there.
func (p *parser) take(prefix string) bool {
	var found bool
	p.space()
	p.rest, found = strings.CutPrefix(p.rest, prefix)
	return found
}

func (p *parser) value(depth int) (any, error) {
	p.space()
	if p.rest == "" {
		return nil, errors.New("it ends too soon")
	}
	if depth > maxNesting {
		return nil, errors.New("it is nested too deeply")
	}
	switch c := p.rest[0]; {
	case c == '{':
		return p.dict(depth)
	case c == '(':
		return p.list(")", depth)
	case c == '[':
		return p.list("]", depth)
	case c == '-' || '0' <= c && c <= '9':
		return p.int()
	}
	switch {
	case p.take("True"):
		return true, nil
	case p.take("False"):
		return false, nil
	}
	return p.string()
}

func (p *parser) dict(depth int) (any, error) {
	d := dict{}
	p.take("{")
	for !p.take("}") {
		key, err := p.string()
		if err != nil {
			return nil, err
		}
		if !p.take(":") {
			return nil, fmt.Errorf("no value follows %q", key)
		}
		if _, twice := d[key]; twice {
			return nil, fmt.Errorf("%s is there twice", quote(key))
		}
		if d[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if !p.take(",") && !strings.HasPrefix(p.rest, "}") {
			return nil, fmt.Errorf("no comma follows the value of %s", quote(key))
		}
	}
	return d, nil
}

func (p *parser) list(end string, depth int) (any, error) {
	before, l := p.rest, list{}
	p.rest = p.rest[1:]
	for !p.take(end) {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		l.items = append(l.items, v)
		if !p.take(",") && !strings.HasPrefix(p.rest, end) {
			return nil, errors.New("no comma stands between the parts of a tuple or list")
		}
	}
	l.text = before[:len(before)-len(p.rest)]
	return l, nil
}

// int reads an integer, with or without the L of Python 2's long.
func (p *parser) int() (any, error) {
	end := strings.IndexFunc(p.rest[1:], func(r rune) bool { return r < '0' || r > '9' }) + 1
	if end == 0 {
		end = len(p.rest)
	}
	n, err := strconv.Atoi(p.rest[:end])
	if err != nil {
		return nil, err
	}
	p.rest = p.rest[end:]
	p.rest = strings.TrimPrefix(p.rest, "L")
	return n, nil
}

// string reads a string. It knows no escapes: headers of plain arrays have none.
func (p *parser) string() (string, error) {
	p.space()
	if len(p.rest) > 1 && strings.ContainsRune("ub", rune(p.rest[0])) {
		p.rest = p.rest[1:] // u'' of Python 2, b'' of Python 3
	}
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		return "", fmt.Errorf("%s is no string", quote(p.rest))
	}
	text, rest, found := strings.Cut(p.rest[1:], p.rest[:1])
	if !found {
		return "", errors.New("a string has no end")
	}
	p.rest = rest
	return text, nil
}
