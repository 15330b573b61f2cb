package files

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// zipFile is a .zip archive.
type zipFile struct {
	f       *os.File
	members []*zip.File
}

// MaxDeflate is the largest compression ratio of the deflate format.
const MaxDeflate = 1032

// IsZip reports whether a file that begins with head is a zip archive, which may be empty.
func IsZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) ||
		bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// ReadZip reads the directory of a zip archive of size bytes. It refuses archives that claim an
// impossible uncompressed size.
func ReadZip(ctx context.Context, f *os.File, size int64) (*zip.Reader, error) {
	r, err := Promptly(ctx, func() (*zip.Reader, error) { return zip.NewReader(f, size) })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("is a damaged or truncated zip archive: %w", err)
	}
	var sum uint64
	for _, m := range r.File {
		if sum += m.UncompressedSize64; sum > MaxDeflate*uint64(size) ||
			m.UncompressedSize64 > 1<<50 {
			return nil, errors.New("is a zip archive that claims to hold more than its size can, " +
				"as a zip bomb does")
		}
	}
	return r, nil
}

func newZip(ctx context.Context, f *os.File, size int64) (Source, error) {
	r, err := ReadZip(ctx, f, size)
	if err != nil {
		return nil, err
	}
	return &zipFile{f, r.File}, nil
}

func (z *zipFile) Kind() string { return Zip }
func (z *zipFile) Close() error { return z.f.Close() }

func (z *zipFile) List(ctx context.Context, note Note) ([]File, error) {
	a := newArchive()
	for i, m := range z.members {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := &node{entry: entry{kind: m.Mode().Type(), size: int64(m.UncompressedSize64), at: i}}
		if n.kind&fs.ModeSymlink != 0 {
			var err error
			if n.link, err = linkIn(m); err != nil {
				return nil, fmt.Errorf("the link %s: %w", m.Name, err)
			}
		}
		if err := a.add(m.Name, n); err != nil {
			return nil, err
		}
	}
	return list(ctx, a, note)
}

// linkIn returns the target of a symbolic link, which is the content of the member.
func linkIn(m *zip.File) (string, error) {
	r, err := m.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 4096))
	return string(b), err
}

func (z *zipFile) Visit(ctx context.Context, files []File, see Visitor) error {
	return visit(ctx, files, see, func(f File) (raster.Content, io.Closer, error) {
		r, err := z.open(f)
		if err != nil {
			return nil, nil, err
		}
		return section(ctx, &growing{r: r, size: f.Size}, 0, f.Size), r, nil
	})
}

// open opens a member that was listed by this archive or by an earlier opening of the same one.
func (z *zipFile) open(f File) (io.ReadCloser, error) {
	i := f.at.(int)
	if i >= len(z.members) || int64(z.members[i].UncompressedSize64) != f.Size {
		return nil, errors.New("is gone: the archive has changed since it was listed")
	}
	if z.members[i].Flags&1 != 0 {
		return nil, errors.New("is encrypted")
	}
	return z.members[i].Open()
}

// maxMember limits the size of a picture in an archive, which is kept in memory while it is
// decoded.
const maxMember = 1 << 28

// growing makes a stream readable at offsets. It buffers the stream up to the last offset read.
type growing struct {
	r    io.Reader
	size int64 // claimed by the archive
	buf  []byte
	err  error
}

func (g *growing) ReadAt(b []byte, at int64) (int, error) {
	for int64(len(g.buf)) < min(at+int64(len(b)), g.size) && g.err == nil {
		g.fill(at + int64(len(b)))
	}
	n := 0
	if at < int64(len(g.buf)) {
		n = copy(b, g.buf[at:])
	}
	switch {
	case g.err != nil && g.err != io.EOF:
		return n, g.err // including a checksum error, which follows the last byte
	case n == len(b):
		return n, nil
	case g.err == nil || g.err == io.EOF && int64(len(g.buf)) == g.size:
		return n, io.EOF
	}
	return n, io.ErrUnexpectedEOF
}

// fill reads on towards an offset: at least 64 KiB, and at most 1 MiB or as much as it has read so
// far. Memory thus grows with what is read, not with what the archive claims.
func (g *growing) fill(to int64) {
	have := int64(len(g.buf))
	to = min(max(to, have+1<<16), max(2*have, 1<<20), g.size)
	if to > maxMember {
		g.err = fmt.Errorf("is longer than the %d MiB that a picture in an archive may have: "+
			"unpack it", maxMember>>20)
		return
	}
	if int64(cap(g.buf)) < to {
		g.buf = append(make([]byte, 0, min(max(to, 2*have), g.size)), g.buf...)
	}
	n, err := io.ReadFull(g.r, g.buf[have:to])
	g.buf = g.buf[:have+int64(n)]
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	if err == nil && int64(len(g.buf)) == g.size {
		_, err = io.ReadFull(g.r, make([]byte, 1)) // the end of the stream verifies the checksum
	}
	g.err = err
}
