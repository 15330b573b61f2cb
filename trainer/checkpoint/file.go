package checkpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

// WriteFile writes the tensors to a safetensors file of their own, which appears complete or not at
// all. Errors are those of the file system, with the path. Malformed tensors panic.
//
// With metadata, which must not have the key sha256, the file also holds these and a checksum,
// which File.Verify compares: under the key sha256 the SHA-256 of the whole file with zeros in
// place of its own 64 digits.
func WriteFile(
	sys file.System, path string, metadata map[string]string, tensors []Tensor,
) error {
	tensors = split(tensors)
	check(tensors)
	order := inOrder(tensors)
	return file.Write(sys, path, func(w io.Writer) error {
		header, err := sealedHeader(order, metadata)
		if err != nil {
			return err
		}
		return writeParts(w, header, order)
	})
}

// ChecksumKey is the key of the metadata under which a file's checksum lies.
const ChecksumKey = "sha256"

// checksum is the checksum as JSON has it.
func checksum(digits string) []byte { return []byte(`"` + ChecksumKey + `":"` + digits + `"`) }

var noDigits = strings.Repeat("0", 2*sha256.Size)

// sealedHeader is the header of the tensors with the metadata and the checksum.
func sealedHeader(order []Tensor, metadata map[string]string) ([]byte, error) {
	if metadata == nil {
		return encodeHeader(order, nil)
	}
	metadata = maps.Clone(metadata)
	metadata[ChecksumKey] = noDigits
	header, err := encodeHeader(order, metadata)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if err := writeParts(sum, header, order); err != nil {
		return nil, err
	}
	digits := hex.EncodeToString(sum.Sum(nil))
	return bytes.Replace(header, checksum(noDigits), checksum(digits), 1), nil
}

// ReadFile fills the slices of into from a safetensors file, which may hold other tensors, too. It
// does not notice changed elements. Errors name the file; they are those of package os if it cannot
// be opened. After an error the slices may have changed.
func ReadFile(path string, into []Tensor) error {
	f, err := OpenFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Read(into)
}

// File is an open safetensors file whose header was read and checked, and none of its elements.
type File struct {
	path string
	source
}

// Entry describes a tensor in a file.
type Entry struct {
	Name  string  `json:"name"`
	Dtype string  `json:"dtype"` // F32, U32 or F64
	Shape []int64 `json:"shape"`
	Bytes int64   `json:"bytes"`
}

// OpenFile opens a safetensors file. Errors name it; they are those of package os if it cannot be
// opened. It must be closed.
func OpenFile(path string) (*File, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	content, err := parse(f, size)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{path, source{f: f, content: content}}, nil
}

// OpenState opens the state of the checkpoint in dir, and returns the description that lies beside
// it. Errors are those of Load, except that elements are not read and so not compared with the
// checksum.
func OpenState(dir string) (*File, Meta, error) {
	meta, err := inspect(dir)
	if err != nil {
		return nil, meta.Meta, withAlternative(dir, err)
	}
	f, err := OpenFile(filepath.Join(dir, stateName))
	if err != nil {
		err = fmt.Errorf("checkpoint: %w: %w", ErrDamaged, err)
		return nil, meta.Meta, withAlternative(dir, err)
	}
	if err := f.join(context.Background(), dir, meta.Shards, false); err != nil {
		return nil, meta.Meta, withAlternative(dir, errors.Join(err, f.Close()))
	}
	return f, meta.Meta, nil
}

// Close closes the file.
func (f *File) Close() error { return f.close() }

// OpenWhole is OpenState that reads the elements, too, and compares them with the checksum, as Load
// does. It stops early, with ctx's error, when ctx ends.
func OpenWhole(ctx context.Context, dir string) (*File, Meta, error) {
	s, err := open(ctx, dir)
	if err != nil {
		return nil, Meta{}, withAlternative(dir, err)
	}
	return &File{filepath.Join(dir, stateName), *s}, s.meta, nil
}

// Size is the length of the file in bytes.
func (f *File) Size() int64 { return 8 + int64(len(f.content.header)) + f.content.data.Size() }

// Metadata returns the metadata; nil: there are none.
func (f *File) Metadata() map[string]string { return f.content.metadata }

// Entries lists the tensors in the order of the file.
func (f *File) Entries() []Entry {
	var all []Entry
	for _, name := range f.content.names() {
		e := f.content.entries[name]
		all = append(all, Entry{name, e.Dtype, e.Shape, e.Offsets[1] - e.Offsets[0]})
	}
	return all
}

// Read fills the slices of into. The file may hold other tensors, too. Errors name the file and
// those tensors that are missing or of another type or shape.
func (f *File) Read(into []Tensor) error {
	into = split(into)
	check(into)
	if err := f.fill(into, true); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

// ReadPart fills into with elements lo and on of a tensor of float32, in row-major order. Errors
// name the file.
func (f *File) ReadPart(name string, lo int64, into []float32) error {
	e, ok := f.content.entries[name]
	if have := (e.Offsets[1] - e.Offsets[0]) / 4; !ok || e.Dtype != "F32" || lo < 0 ||
		lo+int64(len(into)) > have {
		return fmt.Errorf("%s: tensor %q has %d numbers of type F32, expected %d from %d on",
			f.path, name, have, len(into), lo)
	}
	part := Tensor{F32: into}
	from := io.NewSectionReader(f.content.data, e.Offsets[0]+4*lo, 4*int64(len(into)))
	if err := part.readFrom(from, make([]byte, BufferBytes)); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

// ErrNoChecksum is the error of Verify for a file without a checksum.
var ErrNoChecksum = errors.New("the file has no checksum")

// Verify reads the whole file, and compares it with the checksum that WriteFile stored. The error
// wraps ErrDamaged if they differ. It stops early, with ctx's error, when ctx ends.
func (f *File) Verify(ctx context.Context) error {
	c := f.content
	want, ok := c.metadata[ChecksumKey]
	blank := bytes.Replace(c.header, checksum(want), checksum(noDigits), 1)
	if !ok || len(want) != len(noDigits) {
		return fmt.Errorf("%s: %w", f.path, ErrNoChecksum)
	}
	sum := sha256.New()
	sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(blank))))
	sum.Write(blank)
	if err := file.Copy(ctx, sum, io.NewSectionReader(c.data, 0, c.data.Size())); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("%s: %w: changed since it was written: its SHA-256 is %s, its metadata "+
			"say %s", f.path, ErrDamaged, got, want)
	}
	return nil
}
