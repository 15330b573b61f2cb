package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A safetensors file has the length of the header (8 bytes, little-endian), the header (a JSON
// object that maps the names of tensors to entries, padded with spaces), and the bytes of the
// tensors without gaps. See https://github.com/huggingface/safetensors, section "Format".

const (
	metadataKey = "__metadata__" // the only key of the header that is not a tensor
	maxHeader   = 16 << 20       // bytes; those that are written have a few KB
)

// entry describes a tensor in the header. Offsets are relative to the end of the header.
type entry struct {
	Dtype   string  `json:"dtype"`
	Shape   []int64 `json:"shape"`
	Offsets []int64 `json:"data_offsets"` // begin, end
}

// writeSafetensors writes the tensors, those with wider elements first. Since the length of the
// header is a multiple of 8, every element is then aligned to its size.
func writeSafetensors(w io.Writer, tensors []Tensor) error {
	order := inOrder(tensors)
	header, err := encodeHeader(order, nil)
	if err != nil {
		return err
	}
	return writeParts(w, header, order)
}

// inOrder returns the tensors in the order of the file.
func inOrder(tensors []Tensor) []Tensor {
	order := slices.Clone(tensors)
	slices.SortStableFunc(order, func(a, b Tensor) int {
		x, _ := a.dtype()
		y, _ := b.dtype()
		return cmp.Compare(dtypeSize[y], dtypeSize[x])
	})
	return order
}

// encodeHeader returns the header of tensors in this order, with the metadata unless they are nil.
func encodeHeader(order []Tensor, metadata map[string]string) ([]byte, error) {
	all := layout(order)
	if metadata != nil {
		all[metadataKey] = metadata
	}
	header, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	return header, nil
}

// writeParts writes a file of a header and the elements of tensors in this order.
func writeParts(w io.Writer, header []byte, order []Tensor) error {
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	buf := make([]byte, BufferBytes)
	for i := range order {
		if err := order[i].writeTo(w, buf); err != nil {
			return err
		}
	}
	return nil
}

// layout returns the header of tensors stored one after another.
func layout(tensors []Tensor) map[string]any {
	header := make(map[string]any, len(tensors))
	var at int64
	for i := range tensors {
		t := &tensors[i]
		dtype, n := t.dtype()
		end := at + int64(n*dtypeSize[dtype])
		header[t.Name] = entry{dtype, t.shape64(), []int64{at, end}}
		at = end
	}
	return header
}

// shape64 converts Shape to the type of the header. It is never nil: the shape of a scalar is [],
// not null.
func (t *Tensor) shape64() []int64 { return wide(t.Shape) }

func wide(shape []int) []int64 {
	all := make([]int64, len(shape))
	for i, d := range shape {
		all[i] = int64(d)
	}
	return all
}

// content is a safetensors file whose header has been checked.
type content struct {
	entries  map[string]entry
	metadata map[string]string // nil: none
	header   []byte
	data     *io.SectionReader // the bytes of all tensors
}

// bytes returns a reader of the bytes of a tensor, or of its rows.
func (f *content) bytes(t *Tensor) io.Reader {
	e := f.entries[t.Name]
	at, n := e.Offsets[0], e.Offsets[1]-e.Offsets[0]
	if t.Of > 0 {
		row := n / int64(t.Of)
		at, n = at+row*int64(t.First), row*int64(t.Shape[0])
	}
	return io.NewSectionReader(f.data, at, n)
}

// parse checks a safetensors file of size bytes: the header is JSON without repeated names, every
// tensor has a known type and the size of its shape, and the tensors cover the data exactly.
func parse(r io.ReaderAt, size int64) (*content, error) {
	if size < 8 {
		return nil, fmt.Errorf("%d bytes, too short for a safetensors file", size)
	}
	length := make([]byte, 8)
	if _, err := r.ReadAt(length, 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length)
	if n > maxHeader {
		return nil, fmt.Errorf(
			"not a safetensors file: a header of %d bytes, at most %d are accepted", n, maxHeader)
	}
	start := 8 + int64(n)
	if start > size {
		return nil, fmt.Errorf("truncated: a header of %d bytes, but only %d follow", n, size-8)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(r, 8, int64(n)), header); err != nil {
		return nil, err
	}
	f := &content{header: header, data: io.NewSectionReader(r, start, size-start)}
	if err := f.parseHeader(); err != nil {
		return nil, err
	}
	for name, e := range f.entries {
		if err := e.check(f.data.Size()); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	return f, f.checkCover()
}

// parseHeader decodes the header.
func (f *content) parseHeader() error {
	dec := json.NewDecoder(bytes.NewReader(f.header))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("header: expected a JSON object")
	}
	f.entries = make(map[string]entry)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("header: %w", err)
		}
		if err := f.parseEntry(dec, key.(string)); err != nil { // keys are always strings
			return fmt.Errorf("header: %w", err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("header: expected only spaces after the JSON object")
	}
	return nil
}

// parseEntry decodes the value of a key of the header.
func (f *content) parseEntry(dec *json.Decoder, name string) error {
	if name == metadataKey {
		if f.metadata != nil {
			return fmt.Errorf("%s appears twice", name)
		}
		f.metadata = map[string]string{}
		if err := dec.Decode(&f.metadata); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	var e entry
	if err := dec.Decode(&e); err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	if _, twice := f.entries[name]; twice {
		return fmt.Errorf("tensor %q appears twice", name)
	}
	f.entries[name] = e
	return nil
}

// check returns an error if the entry is not valid in a file with size bytes of data.
func (e entry) check(size int64) error {
	width, ok := dtypeSize[e.Dtype]
	if !ok {
		return fmt.Errorf("dtype %q, expected F32, F64 or U32", e.Dtype)
	}
	if len(e.Offsets) != 2 {
		return fmt.Errorf("%d data_offsets, expected begin and end", len(e.Offsets))
	}
	begin, end := e.Offsets[0], e.Offsets[1]
	if begin < 0 || end < begin || end > size {
		return fmt.Errorf("data_offsets %d to %d do not lie in the %d bytes of data",
			begin, end, size)
	}
	n := int64(width)
	if slices.Contains(e.Shape, 0) {
		n = 0
	}
	for _, d := range e.Shape {
		if d < 0 || n > 0 && n > size/d {
			return fmt.Errorf("shape %s does not fit into the %d bytes of data",
				dims(e.Shape), size)
		}
		n *= d
	}
	if n != end-begin {
		return fmt.Errorf("%d bytes, but %s of shape %s takes %d", end-begin, e.Dtype,
			dims(e.Shape), n)
	}
	return nil
}

// dims is a shape as messages show it: 3 x 4.
func dims(shape []int64) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = strconv.FormatInt(d, 10)
	}
	return strings.Join(parts, " x ")
}

// checkCover returns an error if tensors overlap or bytes belong to no tensor.
func (f *content) checkCover() error {
	var at int64
	for _, name := range f.names() {
		switch begin := f.entries[name].Offsets[0]; {
		case begin < at:
			return fmt.Errorf("tensor %q overlaps the one before it", name)
		case begin > at:
			return fmt.Errorf("tensor %q: the %d bytes before it belong to no tensor",
				name, begin-at)
		}
		at = f.entries[name].Offsets[1]
	}
	if rest := f.data.Size() - at; rest != 0 {
		return fmt.Errorf("the last %d bytes belong to no tensor", rest)
	}
	return nil
}

// names lists the tensors in the order of their bytes.
func (f *content) names() []string {
	names := make([]string, 0, len(f.entries))
	for name := range f.entries {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(slices.Compare(f.entries[a].Offsets, f.entries[b].Offsets), cmp.Compare(a, b))
	})
	return names
}
