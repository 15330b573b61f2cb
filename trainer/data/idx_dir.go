package data

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// findIDX describes the IDX files in a directory. It returns nil if none of them holds images.
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
	f, err := findIDX(s, location{path: image.path})
	if err != nil {
		return nil, err
	}
	f.Summary.Format = "IDX file " + filepath.Base(image.path)
	if label != nil {
		f.addLabels(idxLabels{location{path: label.path}})
		f.Summary.Format += ", labels of " + filepath.Base(label.path)
	}
	for _, other := range append(images, labels...) {
		if other != image && (label == nil || other != *label) {
			f.Summary.skip("other IDX files", filepath.Base(other.path))
		}
	}
	return f, nil
}

// unclear is the error of a file that may be a damaged IDX file, in a folder without other IDX
// files.
type unclear struct{ error }

func (u unclear) Unwrap() error { return u.error }

// idx returns the IDX files of images and of labels in a directory, sorted by name. The error is
// that of the first file that cannot be read; it is unclear if there are no images.
func (l listing) idx(ctx context.Context) (images, labels []idxFile, err error) {
	var first error
	for _, e := range l.entries {
		if isPictureName(e.Name()) {
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

// isFile reports whether an entry is a regular file or a link to one, and not hidden. Broken links
// are reported by findPictures.
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

// idxFile is an IDX file whose header has been read.
type idxFile struct {
	path string
	m    int // number of images or labels
}

// chooseIDX returns the file with the most images (the first by name among equals), and the file
// with the same number of labels. Among several of these it prefers the one that shares the longest
// prefix with the name of the images.
func chooseIDX(images, labels []idxFile) (image idxFile, label *idxFile) {
	for _, f := range images {
		if f.m > image.m {
			image = f
		}
	}
	best := -1
	for i, f := range labels {
		if p := commonPrefix(f.path, image.path); f.m == image.m && p > best {
			label, best = &labels[i], p
		}
	}
	return image, label
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && strings.HasPrefix(b, a[:n+1]) {
		n++
	}
	return n
}
