package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/plume-ml/plume/trainer/checkpoint"
)

// File is an open export, of which only the description was read.
type File struct {
	Description
	path string
	list []checkpoint.Entry
	source
}

// source is a file of tensors.
type source interface {
	entries() ([]checkpoint.Entry, error)
	read(into []checkpoint.Tensor) error
	verify(ctx context.Context) error
	Close() error
}

// Open opens a safetensors file or an .npz that Model.Write wrote. What it is is decided by its
// content. Other files are refused with what they seem to be. The file must be closed.
func Open(path string) (*File, error) {
	kind, err := sniff(path)
	if err != nil {
		return nil, err
	}
	var s source
	var text []byte
	switch kind {
	case kindZip:
		s, text, err = openNPZ(path)
	case kindSafetensors:
		s, text, err = openSafetensors(path)
	default:
		err = notAnExport(path, kind.String())
	}
	if err != nil {
		return nil, err
	}
	f := &File{path: path, source: s}
	if f.Description, err = parseDescription(text); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	} else {
		f.list, err = s.entries()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return f, nil
}

// notAnExport is the error of a file that is something else.
func notAnExport(path, what string) error {
	return fmt.Errorf("%s is %s; expected a file that plume export wrote, .safetensors or .npz",
		path, what)
}

// kind is what the first bytes of a file say that it is.
type kind int

const (
	kindOther kind = iota
	kindSafetensors
	kindZip
	kindONNX
)

func (k kind) String() string {
	return [...]string{"a file of an unknown kind", "a safetensors file", "a zip archive",
		"an ONNX model, which holds a graph to compute with"}[k]
}

// sniff reads the first bytes of a regular file.
func sniff(path string) (kind, error) {
	info, err := os.Stat(path)
	if err != nil {
		return kindOther, err
	}
	if !info.Mode().IsRegular() {
		return kindOther, fmt.Errorf("%s: not a regular file; expected one that plume export wrote",
			path)
	}
	f, err := os.Open(path)
	if err != nil {
		return kindOther, err
	}
	defer f.Close()
	head := make([]byte, 9)
	if n, err := io.ReadFull(f, head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) &&
		!errors.Is(err, io.EOF) {
		return kindOther, err
	} else if n < len(head) {
		return kindOther, nil
	}
	switch {
	case string(head[:2]) == "PK":
		return kindZip, nil
	case head[8] == '{' && head[5] == 0 && head[6] == 0 && head[7] == 0:
		return kindSafetensors, nil
	case head[0] == 8 && head[2]&7 == 2: // ir_version, then a string or a message
		return kindONNX, nil
	}
	return kindOther, nil
}

// tensors is a safetensors file.
type tensors struct{ *checkpoint.File }

func openSafetensors(path string) (*tensors, []byte, error) {
	f, err := checkpoint.OpenFile(path)
	if err != nil {
		return nil, nil, err
	}
	text, ok := f.Metadata()[metadataKey]
	if !ok {
		f.Close()
		return nil, nil, notAnExport(path, "a safetensors file without the metadata "+metadataKey)
	}
	return &tensors{f}, []byte(text), nil
}

func (t *tensors) entries() ([]checkpoint.Entry, error) { return t.Entries(), nil }
func (t *tensors) read(into []checkpoint.Tensor) error  { return t.Read(into) }
func (t *tensors) verify(ctx context.Context) error     { return t.Verify(ctx) }

// Verify reads the whole file, and compares it with its checksums. The error wraps
// checkpoint.ErrDamaged if they differ.
func (f *File) Verify(ctx context.Context) error {
	err := f.verify(ctx)
	if errors.Is(err, checkpoint.ErrNoChecksum) {
		return fmt.Errorf("%w: %w", checkpoint.ErrDamaged, err)
	}
	return err
}

// require returns an error unless the file has a tensor of that type and shape.
func (f *File) require(name, dtype string, shape []int) error {
	all := f.list
	i := slices.IndexFunc(all, func(e checkpoint.Entry) bool { return e.Name == name })
	switch {
	case i < 0:
		return fmt.Errorf("%s: tensor %q is missing", f.path, name)
	case all[i].Dtype != dtype || !slices.Equal(all[i].Shape, shape64(shape)):
		return fmt.Errorf("%s: tensor %q is %s of shape %v, expected %s of %v", f.path, name,
			all[i].Dtype, all[i].Shape, dtype, shape)
	}
	return nil
}

func shape64(shape []int) []int64 {
	out := make([]int64, len(shape))
	for i, d := range shape {
		out[i] = int64(d)
	}
	return out
}
