package export

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/npy"
)

// An .npz is a zip archive of .npy files, which numpy.load reads by their names. The description is
// a member of its own, plume.json, which numpy.load returns as bytes. Members are stored, not
// compressed: weights hardly become smaller.

const (
	descriptionName = metadataKey + ".json"
	npyEnding       = ".npy"
)

// sumName is the last member: the SHA-256 of the names and contents of all others, in their order.
const sumName = metadataKey + ".sha256"

// writeNPZ writes the model as NumPy arrays.
func (m *Model) writeNPZ(sys file.System, path string, description []byte) error {
	return file.Write(sys, path, func(w io.Writer) error {
		archive, sum := zip.NewWriter(w), sha256.New()
		write := func(name string, content func(io.Writer) error) error {
			member, err := archive.CreateHeader(&zip.FileHeader{Name: name})
			if err != nil {
				return err
			}
			io.WriteString(sum, name+"\n")
			return content(io.MultiWriter(member, sum))
		}
		err := write(descriptionName, func(w io.Writer) error {
			_, err := w.Write(description)
			return err
		})
		for _, t := range m.Tensors {
			if err == nil {
				err = write(t.Name+npyEnding, func(w io.Writer) error { return writeArray(w, t) })
			}
		}
		digits := hex.EncodeToString(sum.Sum(nil)) + "\n"
		if err == nil {
			err = write(sumName, func(w io.Writer) error {
				_, err := io.WriteString(w, digits)
				return err
			})
		}
		return errors.Join(err, archive.Close())
	})
}

// writeArray writes a tensor of float32 or float64 as a .npy file.
func writeArray(w io.Writer, t checkpoint.Tensor) error {
	if t.F32 != nil {
		return npy.Write(w, t.F32, t.Shape...)
	}
	raw, err := binary.Append(npy.NewHeader(npy.Float64, t.Shape...), binary.LittleEndian, t.F64)
	if err == nil {
		_, err = w.Write(raw)
	}
	return err
}

// archive is an open .npz.
type archive struct {
	*zip.ReadCloser
	path string
}

// openNPZ opens an .npz and returns its description.
func openNPZ(path string) (*archive, []byte, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: expected a whole .npz: %w", path, err)
	}
	a := &archive{z, path}
	f, err := a.member(descriptionName)
	if err != nil {
		z.Close()
		return nil, nil, notAnExport(path, "an .npz without the member "+descriptionName)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDescription+1))
	if err == nil && len(text) > maxDescription {
		err = fmt.Errorf("more than %d bytes", maxDescription)
	}
	if err != nil {
		z.Close()
		return nil, nil, fmt.Errorf("%s: %s: %w", path, descriptionName, err)
	}
	return a, text, nil
}

// maxDescription limits the length of a description that is read.
const maxDescription = 16 << 20

// member opens a member, of which there must be one.
func (a *archive) member(name string) (io.ReadCloser, error) {
	var found *zip.File
	for _, f := range a.File {
		if f.Name == name && found != nil {
			return nil, fmt.Errorf("%s: two members are called %s", a.path, name)
		} else if f.Name == name {
			found = f
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%s: no member is called %s", a.path, name)
	}
	return found.Open()
}

// entries implements source.
func (a *archive) entries() (all []checkpoint.Entry, err error) {
	for _, f := range a.File {
		name, isArray := strings.CutSuffix(f.Name, npyEnding)
		if !isArray {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", a.path, f.Name, err)
		}
		e, err := a.header(r, name)
		r.Close()
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// header reads the header of an array.
func (a *archive) header(r io.Reader, name string) (checkpoint.Entry, error) {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s "+format, append([]any{a.path, name + npyEnding}, args...)...)
	}
	h, err := npy.ReadHeader(npy.Source{Fail: fail, Fill: func(buf []byte) error {
		if _, err := io.ReadFull(r, buf); err != nil {
			return fail("ends within its header: %w", err)
		}
		return nil
	}})
	if err != nil {
		return checkpoint.Entry{}, err
	}
	e := checkpoint.Entry{Name: name, Bytes: int64(h.Dtype.Width)}
	switch {
	case h.Fortran || h.Dtype.Big || h.Dtype.Kind != npy.Float:
	case h.Dtype.Width == 4:
		e.Dtype = "F32"
	case h.Dtype.Width == 8:
		e.Dtype = "F64"
	}
	if e.Dtype == "" {
		return e, fail("is not an array of float32 or float64 in C order, as an export has")
	}
	for _, d := range h.Dims {
		if d > 0 && e.Bytes > math.MaxInt64/int64(d) {
			return e, fail("has the dimensions %v, more than a file can hold", h.Dims)
		}
		e.Shape = append(e.Shape, int64(d))
		e.Bytes *= int64(d)
	}
	return e, nil
}

// read implements source.
func (a *archive) read(into []checkpoint.Tensor) error {
	for _, t := range into {
		if err := a.readArray(t); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) readArray(t checkpoint.Tensor) error {
	r, err := a.member(t.Name + npyEnding)
	if err != nil {
		return err
	}
	defer r.Close()
	e, err := a.header(r, t.Name)
	if err != nil {
		return err
	}
	if !slices.Equal(e.Shape, shape64(t.Shape)) {
		return fmt.Errorf("%s: %s has shape %v, expected %v", a.path, t.Name, e.Shape, t.Shape)
	}
	if t.F32 != nil {
		err = binary.Read(r, binary.LittleEndian, t.F32)
	} else {
		err = binary.Read(r, binary.LittleEndian, t.F64)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, r) // the checksum is compared at the end
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w: %w", a.path, t.Name, checkpoint.ErrDamaged, err)
	}
	return nil
}

// verify implements source: every member has a checksum, and all together have one.
func (a *archive) verify(ctx context.Context) error {
	sum, want := sha256.New(), ""
	for i, f := range a.File {
		digits := &strings.Builder{}
		into := io.Writer(sum)
		if last := i == len(a.File)-1; last && f.Name == sumName && f.UncompressedSize64 < 1<<8 {
			into, want = digits, hex.EncodeToString(sum.Sum(nil))+"\n"
		} else {
			io.WriteString(sum, f.Name+"\n")
		}
		r, err := f.Open()
		if err == nil {
			err = file.Copy(ctx, into, r)
			r.Close()
		}
		if err == nil && digits.String() != want {
			err = errors.New("the members are not those that were written")
		}
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%s: %s: %w: %w", a.path, f.Name, checkpoint.ErrDamaged, err)
		}
		if err != nil {
			return err
		}
	}
	if want == "" {
		return fmt.Errorf("%s: %w: the member %s is missing", a.path, checkpoint.ErrDamaged,
			sumName)
	}
	return nil
}
