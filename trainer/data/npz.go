package data

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/plume-ml/plume/trainer/data/files"
	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// member is an array in an .npz archive.
type member struct {
	name   string // without .npy
	file   *zip.File
	header npyfile.Header
	images header
	cannot error // why it cannot hold images; nil: it may
}

func (m member) String() string {
	dims := "scalar"
	if len(m.header.Dims) > 0 {
		dims = joinDims(m.header.Dims)
	}
	return fmt.Sprintf("%s (%s, %v)", m.name, dims, m.header.Dtype)
}

// archive is an open zip archive.
type archive struct {
	ctx  context.Context
	path string
	as   Kind // what the images are
	file *os.File
	zip  *zip.Reader
}

func openArchive(ctx context.Context, path string) (*archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	a := &archive{ctx: ctx, path: path, file: f}
	if a.zip, err = files.ReadZip(ctx, f, size(f)); err != nil {
		f.Close()
		return nil, a.fail("%w", err)
	}
	return a, nil
}

func (a *archive) fail(format string, args ...any) error {
	return fmt.Errorf("data: %s: %w", a.path, fmt.Errorf(format, args...))
}

// open opens a member as a source. It trusts the uncompressed size in the archive only if that is
// possible.
func (a *archive) open(f *zip.File, buffer int) (*source, error) {
	if f.Flags&1 != 0 {
		return nil, a.fail("%s is encrypted; unpack it first", f.Name)
	}
	s := &source{ctx: a.ctx, path: a.path + ": " + f.Name, zip: true, size: -1}
	r, err := f.Open()
	if err != nil {
		return nil, s.damaged(err)
	}
	s.r, s.closer = buffered(a.ctx, r, buffer), r
	likely := f.UncompressedSize64/files.MaxDeflate <= f.CompressedSize64
	if f.Method == zip.Store {
		likely = f.UncompressedSize64 == f.CompressedSize64
	}
	if likely {
		s.size = int64(f.UncompressedSize64)
	}
	return s, nil
}

// openMember opens a member of the archive at path. Closing the source closes both.
func openMember(ctx context.Context, path, name string) (*source, error) {
	a, err := openArchive(ctx, path)
	if err != nil {
		return nil, err
	}
	for _, f := range a.zip.File {
		if f.Name == name {
			s, err := a.open(f, bufferBytes)
			if err == nil {
				s.closer = closers{s.closer, a.file}
				return s, nil
			}
			a.file.Close()
			return nil, err
		}
	}
	a.file.Close()
	return nil, a.fail("has lost its member %s since it was first read", name)
}

type closers []io.Closer

func (c closers) Close() (err error) {
	for _, x := range c {
		err = errors.Join(err, x.Close())
	}
	return err
}

// members reads the headers of all arrays. others are the names of the other members.
func (a *archive) members() (members []member, others []string, err error) {
	seen := map[string]bool{}
	for _, f := range a.zip.File {
		if err := a.ctx.Err(); err != nil {
			return nil, nil, a.fail("%w", err)
		}
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray {
			others = append(others, f.Name)
			continue
		}
		if seen[name] {
			return nil, nil, a.fail("has two members named %s", f.Name)
		}
		seen[name] = true
		m, err := a.member(name, f)
		if err != nil {
			return nil, nil, err
		}
		members = append(members, m)
	}
	return members, others, nil
}

func (a *archive) member(name string, f *zip.File) (member, error) {
	s, err := a.open(f, 1<<10) // a small buffer: there may be very many members
	if err != nil {
		return member{}, err
	}
	defer s.close()
	m := member{name: name, file: f}
	m.header, err = s.arrayHeader()
	if err != nil {
		return member{}, err
	}
	m.images, m.cannot = npyImageHeader(m.header, a.as)
	return m, nil
}

// findZip describes the data set in a zip archive. It is an .npz archive if it has .npy members and
// no pictures, or if Options.Array is set; otherwise an archive of pictures.
func findZip(ctx context.Context, path string, opt Options) (*Found, error) {
	a, err := openArchive(ctx, path)
	if err != nil {
		return nil, err
	}
	defer a.file.Close()
	var arrays, pictures, torch bool
	for _, f := range a.zip.File {
		if strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		arrays = arrays || strings.HasSuffix(f.Name, ".npy")
		pictures = pictures || isPictureName(f.Name)
		torch = torch || strings.HasSuffix(f.Name, "/data.pkl")
	}
	switch {
	case arrays && (!pictures || opt.Array != ""):
		return a.findNPZ(opt)
	case torch && !pictures:
		return nil, a.fail("is a file of PyTorch (torch.save)%s", pickleRemedy)
	}
	return findArchive(ctx, path, opt)
}

// findNPZ describes the array of images in an .npz archive, and their labels.
func (a *archive) findNPZ(opt Options) (*Found, error) {
	if err := opt.refuse(a.path, "an .npz archive"); err != nil {
		return nil, err
	}
	a.as = opt.As
	members, others, err := a.members()
	if err != nil {
		return nil, err
	}
	images, err := a.choose(members, opt.Array)
	if err != nil {
		return nil, err
	}
	s, err := a.open(images.file, bufferBytes)
	if err != nil {
		return nil, err
	}
	defer s.close()
	f, err := findNPY(s, location{path: a.path, member: images.file.Name}, opt)
	if err != nil {
		return nil, err
	}
	f.npz = true
	f.Summary.Format = fmt.Sprintf("array %s %s of an .npz archive", images.name, f.Summary.Format)
	labels := ""
	if opt.Labels == "" {
		labels = f.findNPZLabels(a.path, images, members, opt)
	}
	for _, m := range members {
		if m.name != images.name && m.name != labels {
			f.Summary.skip("other arrays", m.String())
		}
	}
	for _, name := range others {
		f.Summary.skip("other members", name)
	}
	return f, nil
}
