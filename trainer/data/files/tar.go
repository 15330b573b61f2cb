package files

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// tarFile is a .tar archive, whose members can be read at their offsets.
type tarFile struct {
	f    *os.File
	size int64
}

func (t *tarFile) Kind() string { return Tar }
func (t *tarFile) Close() error { return t.f.Close() }

func (t *tarFile) List(ctx context.Context, note Note) ([]File, error) {
	r := io.NewSectionReader(t.f, 0, t.size)
	return listTar(ctx, tar.NewReader(r), note, func() any {
		offset, _ := r.Seek(0, io.SeekCurrent) // tar.Reader does not read ahead
		return offset
	})
}

func (t *tarFile) Visit(ctx context.Context, files []File, see Visitor) error {
	return visit(ctx, files, see, func(f File) (raster.Content, io.Closer, error) {
		return section(ctx, t.f, f.at.(int64), f.Size), io.NopCloser(nil), nil
	})
}

// listTar lists the members of an archive; position returns the position of the current member.
func listTar(ctx context.Context, r *tar.Reader, note Note, position func() any) ([]File, error) {
	a := newArchive()
	err := eachMember(ctx, r, func(h *tar.Header) error {
		n := &node{
			entry: entry{kind: h.FileInfo().Mode().Type(), size: h.Size, at: position()},
			link:  h.Linkname,
		}
		switch {
		case h.Typeflag == tar.TypeLink:
			if _, to, err := a.find(h.Linkname); err == nil {
				n.entry = to.entry
			} else {
				n.kind, n.err = 0, fmt.Errorf("is a broken hard link: %w", err)
			}
		case sparse(h):
			n.kind = fs.ModeIrregular
		}
		return a.add(h.Name, n)
	})
	if err != nil {
		return nil, err
	}
	return list(ctx, a, note)
}

// sparse reports whether a member is a sparse file, whose content cannot be read at an offset.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// eachMember calls f for each header of an archive.
func eachMember(ctx context.Context, r *tar.Reader, f func(h *tar.Header) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := r.Next()
		switch {
		case err == io.EOF:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return fmt.Errorf("is a damaged or truncated tar archive: %w", err)
		}
		if err := f(h); err != nil {
			return err
		}
	}
}

// tarGzip is a .tar.gz archive, which can only be read sequentially. A member's position is its
// number.
type tarGzip struct {
	f    *os.File
	size int64
}

func (t *tarGzip) Kind() string { return Tar }
func (t *tarGzip) Close() error { return t.f.Close() }

func (t *tarGzip) reader(ctx context.Context) (*tar.Reader, error) {
	file := io.NewSectionReader(stoppable{ctx, t.f}, 0, t.size)
	z, err := gzip.NewReader(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("is a damaged gzip file: %w", err)
	}
	return tar.NewReader(z), nil
}

func (t *tarGzip) List(ctx context.Context, note Note) ([]File, error) {
	r, err := t.reader(ctx)
	if err != nil {
		return nil, err
	}
	number := -1
	return listTar(ctx, r, note, func() any {
		number++
		return number
	})
}

func (t *tarGzip) Visit(ctx context.Context, files []File, see Visitor) error {
	r, err := t.reader(ctx)
	if err != nil {
		return err
	}
	wanted := map[int][]int{} // files by member; with hard links, a member has several
	for i, f := range files {
		if f.err != nil {
			see(i, nil, f.err)
			continue
		}
		wanted[f.at.(int)] = append(wanted[f.at.(int)], i)
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	number := -1
	err = eachMember(ctx, r, func(h *tar.Header) error {
		number++
		same := wanted[number]
		if len(same) == 0 {
			return nil
		}
		g := &growing{r: r, size: h.Size}
		for int64(len(g.buf)) < h.Size && g.err == nil {
			g.fill(int64(len(g.buf)) + 1<<20)
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, i := range same {
				see(i, section(ctx, g, 0, h.Size), nil)
			}
		})
		return nil
	})
	if waitErr := wait(ctx, &wg); err == nil {
		err = waitErr
	}
	return err
}
