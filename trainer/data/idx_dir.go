package data

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// findIDX looks at the IDX files; nil if none of them holds images.
func (l listing) findIDX(ctx context.Context, opt Options) (*Found, error) {
	dir := l.dir
	images, labels, err := l.idx(ctx)
	if err != nil || len(images) == 0 {
		return nil, err
	}
	if err := opt.refuse(dir, "a directory of IDX files"); err != nil {
		return nil, err
	}
	image, label := chooseIDX(images, labels)
	if label == nil && len(labels) > 0 {
		opt.warn("data: %s: no label file is as long as %s, so the images have no labels", dir,
			image.path)
	}
	s, err := openSource(ctx, image.path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	f, err := findIDX(s, image, label)
	if err != nil {
		return nil, err
	}
	f.Summary.Format = "IDX file " + filepath.Base(image.path)
	if label != nil {
		f.Summary.Format += ", labels of " + filepath.Base(label.path)
	}
	for _, other := range append(images, labels...) {
		if other != image && (label == nil || other != *label) {
			f.Summary.pass("other IDX files", filepath.Base(other.path))
		}
	}
	return f.named(baseName(dir)), nil
}

// unclear is the error of a file that may be an IDX file, in a folder where no other one is found.
type unclear struct{ error }

func (u unclear) Unwrap() error { return u.error }

// idx lists the IDX files of images and of labels, by name. What cannot be read is an error, the
// first that is met; unclear where there are no images.
func (l listing) idx(ctx context.Context) (images, labels []idxFile, err error) {
	var first error
	for _, e := range l.entries {
		if claims(e.Name()) {
			continue
		}
		path := filepath.Join(l.dir, e.Name())
		if !isFile(path, e) {
			continue
		}
		dims, err := peekIDX(ctx, path)
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("data: %s: %w", l.dir, ctx.Err())
		}
		if err != nil && first == nil {
			first = err
		}
		switch {
		case len(dims) == 1:
			labels = append(labels, idxFile{path, dims[0]})
		case len(dims) > 1:
			images = append(images, idxFile{path, dims[0]})
		}
	}
	if first != nil && len(images) == 0 {
		first = unclear{first}
	}
	return images, labels, first
}

// peekIDX returns the dimensions of an IDX file, or nil for any other file.
func peekIDX(ctx context.Context, path string) ([]int, error) {
	head, err := headOf(path)
	if err != nil || !isIDXMagic(head) && !isGzip(head) {
		return nil, err
	}
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if s.kind() != kindIDX {
		return nil, nil
	}
	_, dims, _, err := idxHeader(s)
	return dims, err
}

// isFile reports whether an entry is a file to be looked at: a regular file or a link to one, not
// hidden. A broken link is told with the pictures.
func isFile(path string, e fs.DirEntry) bool {
	if strings.HasPrefix(e.Name(), ".") {
		return false
	}
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
