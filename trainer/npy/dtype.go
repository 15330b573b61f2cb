package npy

import (
	"fmt"
	"strings"
)

// Kind is the kind of an array's elements.
type Kind byte

// The kinds that plume reads, by the letters of the array interface. Other stands for all others.
const (
	Other Kind = 0
	Bool  Kind = 'b'
	Int   Kind = 'i'
	Uint  Kind = 'u'
	Float Kind = 'f'
)

// Dtype is the type of an array's elements.
type Dtype struct {
	Kind  Kind
	Width int    // bytes of an element; 0 for Other
	Big   bool   // big-endian
	Descr string // as in the header: "<f4"
}

// parseDtype reads the descr of a header.
func parseDtype(descr any) Dtype {
	name, plain := descr.(string)
	if !plain {
		return Dtype{Descr: fmt.Sprint(descr)}
	}
	d := Dtype{Descr: name}
	order, rest := byte(0), name
	if name != "" && strings.ContainsRune("<>|=", rune(name[0])) {
		order, rest = name[0], name[1:]
	}
	if len(rest) != 2 {
		return d
	}
	kind, width := Kind(rest[0]), int(rest[1]-'0')
	switch {
	case kind == Bool && width == 1,
		(kind == Int || kind == Uint) && (width == 1 || width == 2 || width == 4 || width == 8),
		kind == Float && (width == 2 || width == 4 || width == 8):
	default:
		return d
	}
	if width > 1 && order != '<' && order != '>' {
		return d // the byte order is missing
	}
	d.Kind, d.Width, d.Big = kind, width, width > 1 && order == '>'
	return d
}

// Integer reports whether the elements are integers.
func (d Dtype) Integer() bool { return d.Kind == Int || d.Kind == Uint }

// Name is NumPy's name of the type, without the byte order: "uint8".
func (d Dtype) Name() string {
	switch d.Kind {
	case Bool:
		return "bool"
	case Int:
		return fmt.Sprintf("int%d", 8*d.Width)
	case Uint:
		return fmt.Sprintf("uint%d", 8*d.Width)
	case Float:
		return fmt.Sprintf("float%d", 8*d.Width)
	}
	return otherName(d.Descr)
}

// String returns the type for messages: "big-endian uint16".
func (d Dtype) String() string {
	if d.Big {
		return "big-endian " + d.Name()
	}
	return d.Name()
}

// letter returns the letter of the kind that a descr names, and the text after it.
func letter(descr string) (c byte, size string) {
	descr = strings.TrimLeft(descr, "<>|=")
	if descr == "" {
		return 0, ""
	}
	return descr[0], descr[1:]
}

// otherName describes a type that plume cannot read.
func otherName(descr string) string {
	if strings.HasPrefix(descr, "[") || strings.HasPrefix(descr, "(") {
		return "a structured dtype, " + short(descr)
	}
	switch c, size := letter(descr); c {
	case 'c':
		return "complex numbers (" + descr + ")"
	case 'O':
		return "Python objects (|O)"
	case 'U', 'S', 'a':
		return "strings (" + descr + ")"
	case 'M', 'm':
		return "dates (" + descr + ")"
	case 'V':
		return "raw bytes (" + descr + ")"
	case 'f':
		if size == "12" || size == "16" {
			return "long double (" + descr + ")"
		}
	}
	return "dtype " + short(quote(descr))
}

// short shortens a text for an error.
func short(text string) string {
	const limit = 60
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

// Refusal returns nil for types that plume reads, and for others an error that describes the type
// and how to convert the array.
func (d Dtype) Refusal() error {
	if d.Kind != Other {
		return nil
	}
	remedy := "numpy.save('new.npy', x.astype('float32'))"
	switch c, size := letter(d.Descr); {
	case strings.HasPrefix(d.Descr, "["), strings.HasPrefix(d.Descr, "("):
		remedy = "save one of its fields, numpy.save('new.npy', x['NAME'])"
	case c == 'c':
		remedy = "numpy.save('new.npy', numpy.abs(x)), or x.real"
	case c == 'O':
		remedy = "numpy.save('new.npy', numpy.stack(x.tolist())), which needs rows of one shape"
	case c == 'V' && size == "2":
		remedy = "if it is bfloat16, numpy.save('new.npy', x.astype('float32')) where it was made"
	case strings.ContainsRune("USaMmV", rune(c)):
		remedy = "numpy.save('new.npy', x.astype('float32')) if these are numbers"
	}
	return fmt.Errorf("is an array of %s; expected bool, integers or floats of up to 64 bits: %s",
		d.Name(), remedy)
}
