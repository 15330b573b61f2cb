package export

import (
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is a field of a protobuf message in a file, of which long ones are not read.
type field struct {
	number protowire.Number
	value  uint64            // of a varint
	body   *io.SectionReader // of bytes; nil: another type
	at     int64             // where these begin in the file
}

// walk calls f for the fields of the message in r, which begins at the given place of the file.
// Errors are those of reading, of f, and of what is no message.
func walk(r *io.SectionReader, at int64, f func(field) error) error {
	for pos := int64(0); pos < r.Size(); {
		head := make([]byte, 2*maxVarint) // tag, and value or length
		n, err := r.ReadAt(head, pos)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		number, kind, used := protowire.ConsumeTag(head[:n])
		if used < 0 {
			return fmt.Errorf("at byte %d: %w", at+pos, protowire.ParseError(used))
		}
		one := field{number: number}
		length := protowire.ConsumeFieldValue(number, kind, head[used:n])
		switch kind {
		case protowire.VarintType, protowire.BytesType:
			var size int
			if one.value, size = protowire.ConsumeVarint(head[used:n]); size < 0 {
				return fmt.Errorf("at byte %d: %w", at+pos, protowire.ParseError(size))
			}
			pos += int64(used + size)
		default:
			if length < 0 {
				return fmt.Errorf("at byte %d: %w", at+pos, protowire.ParseError(length))
			}
			pos += int64(used + length)
		}
		if kind == protowire.BytesType {
			if one.value > uint64(r.Size()-pos) {
				return fmt.Errorf("at byte %d: a field of %d bytes, but only %d follow", at+pos,
					one.value, r.Size()-pos)
			}
			one.at, one.body = at+pos, io.NewSectionReader(r, pos, int64(one.value))
			pos += int64(one.value)
		}
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}

const maxVarint = 10

// text reads a field of at most limit bytes.
func (f field) text(limit int64) (string, error) {
	if f.body == nil || f.body.Size() > limit {
		return "", fmt.Errorf("at byte %d: expected a text of at most %d bytes", f.at, limit)
	}
	raw := make([]byte, f.body.Size())
	_, err := f.body.ReadAt(raw, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return string(raw), err
}

// inner walks the message in a field.
func (f field) inner(do func(field) error) error {
	if f.body == nil {
		return fmt.Errorf("field %d: expected a message", f.number)
	}
	return walk(f.body, f.at, do)
}

// onnxFile is what the file of an ONNX model says, without the numbers.
type onnxFile struct {
	ir, opset         int64
	producer          string
	metadata          map[string]string
	digits            int64 // where the checksum begins in the file; 0: there is none
	inputs, outputs   []string
	nodes, parameters int64
}

// readONNX reads what an ONNX model is.
func readONNX(path string) (*onnxFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m := &onnxFile{metadata: map[string]string{}}
	err = walk(io.NewSectionReader(f, 0, info.Size()), 0, func(f field) (err error) {
		switch f.number {
		case modelIR:
			m.ir = int64(f.value)
		case modelProducer:
			m.producer, err = f.text(maxName)
		case modelOpset:
			err = f.inner(func(f field) error {
				if f.number == opsetVersion {
					m.opset = int64(f.value)
				}
				return nil
			})
		case modelMetadata:
			err = m.entry(f)
		case modelGraph:
			err = f.inner(m.graph)
		}
		return err
	})
	if err == nil && (m.ir == 0 || m.nodes == 0) {
		err = errors.New("no graph: expected a whole ONNX model")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// maxName limits the names that are read.
const maxName = 1 << 16

// entry reads an entry of the metadata.
func (m *onnxFile) entry(f field) error {
	var name, value string
	var at int64
	err := f.inner(func(f field) (err error) {
		switch f.number {
		case metadataName:
			name, err = f.text(maxName)
		case metadataValue:
			at = f.at
			value, err = f.text(maxDescription)
		}
		return err
	})
	if name == checksumName && len(value) == len(noDigits) {
		m.digits = at
	}
	m.metadata[name] = value
	return err
}

// graph reads a field of the graph.
func (m *onnxFile) graph(f field) (err error) {
	switch f.number {
	case graphNode:
		m.nodes++
	case graphInput, graphOutput:
		text, err := declared(f)
		if f.number == graphInput {
			m.inputs = append(m.inputs, text)
		} else {
			m.outputs = append(m.outputs, text)
		}
		return err
	case graphInitializer:
		size, element := int64(1), int64(0)
		err := f.inner(func(f field) error {
			switch f.number {
			case tensorDim:
				size *= int64(f.value)
			case tensorType:
				element = int64(f.value)
			}
			return nil
		})
		if element == elementFloat {
			m.parameters += size
		}
		return err
	}
	return nil
}

// declared reads an input or output: "z n x 32".
func declared(f field) (text string, err error) {
	err = f.inner(func(f field) (err error) {
		switch f.number {
		case infoName:
			text, err = f.text(maxName)
		case infoType:
			err = f.inner(func(f field) error {
				return f.inner(func(f field) error { // the tensor's
					if f.number != typeShape {
						return nil
					}
					return f.inner(func(dim field) error {
						return dim.inner(func(f field) error {
							size := fmt.Sprint(f.value)
							if f.number == dimensionParam {
								size, err = f.text(maxName)
							}
							text += " x " + size
							return err
						})
					})
				})
			})
		}
		return err
	})
	return text, err
}
