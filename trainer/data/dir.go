package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// findDir looks at a directory: IDX files if it holds images of that format (subdirectories are
// not searched for them), otherwise the PNG and JPEG images in it and below it. Names that
// begin with a dot are passed over.
func findDir(ctx context.Context, dir string, opt Options) (*Found, error) {
	images, labels, err := listIDX(ctx, dir)
	if err != nil {
		return nil, err
	}
	if len(images) == 0 {
		return findPictures(ctx, dir, opt)
	}
	if err := opt.refuse(dir, "a directory of IDX files"); err != nil {
		return nil, err
	}
	image, label := chooseIDX(images, labels)
	if label == nil && len(labels) > 0 {
		opt.warn("data: %s: no label file is as long as %s, so the images have no labels", dir, image.path)
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
	f.Summary.Format = "IDX files"
	return f.named(baseName(dir)), nil
}

// named makes the data set carry another name than that of its file.
func (f *Found) named(name string) *Found {
	read := f.read
	f.read = func(ctx context.Context) (*array, error) {
		a, err := read(ctx)
		if a != nil {
			a.name = name
		}
		return a, err
	}
	return f
}

// listIDX lists the IDX files of images and of labels directly in dir, by name.
func listIDX(ctx context.Context, dir string) (images, labels []idxFile, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if file, err := isFile(path, e); err != nil || !file {
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		dims, err := peekIDX(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case len(dims) == 1:
			labels = append(labels, idxFile{path, dims[0]})
		case len(dims) > 1:
			images = append(images, idxFile{path, dims[0]})
		}
	}
	return images, labels, nil
}

// peekIDX returns the dimensions of an IDX file, or nil for any other file.
func peekIDX(ctx context.Context, path string) ([]int, error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if s.kind() != kindIDX {
		return nil, nil
	}
	dims, _, err := idxHeader(s)
	return dims, err
}

// isFile reports whether an entry is a file to be looked at: a regular file or a link to
// one, not hidden.
func isFile(path string, e fs.DirEntry) (bool, error) {
	if strings.HasPrefix(e.Name(), ".") {
		return false, nil
	}
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type().IsRegular(), nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !namedImage(path):
		return false, nil // a broken link to something else
	case err != nil:
		return false, fmt.Errorf("data: %w", err)
	}
	return info.Mode().IsRegular(), nil
}

// namedImage reports whether a name claims that the file is a PNG or JPEG image.
func namedImage(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png", ".jpg", ".jpeg":
		return true
	}
	return false
}

// listPictures lists the PNG and JPEG images in and below dir, sorted by path.
func listPictures(ctx context.Context, dir string) ([]string, error) {
	var images []string
	var seen, array string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("data: %s: %w", dir, err)
		}
		if e.IsDir() {
			if name != "." && strings.HasPrefix(e.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if file, err := isFile(path, e); err != nil || !file {
			return err
		}
		k, err := peekImage(path)
		switch k {
		case kindPNG, kindJPEG:
			images = append(images, path)
		case kindNPY:
			array = cmp.Or(array, path)
		}
		seen = path
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(images) > 0:
		slices.Sort(images)
		return images, nil
	case array != "":
		return nil, fmt.Errorf("data: %s: holds no PNG, JPEG or IDX images; to use the array %s, give its own path", dir, array)
	case seen != "":
		return nil, fmt.Errorf("data: %s: holds no images; expected PNG or JPEG images in it or below it, or IDX files in it", dir)
	}
	return nil, fmt.Errorf("data: %s: is an empty directory; expected PNG or JPEG images in it or below it, or IDX files in it", dir)
}

// peekImage tells what a file is. A file that its name calls PNG or JPEG must be one of them.
func peekImage(path string) (kind, error) {
	f, err := os.Open(path)
	if err != nil {
		return kindOther, fmt.Errorf("data: %w", err)
	}
	defer f.Close()
	head := make([]byte, headLen)
	n, err := io.ReadFull(f, head)
	if err != nil && !isEnd(err) {
		return kindOther, fmt.Errorf("data: %w", err)
	}
	k := kindOf(head[:n])
	if k != kindPNG && k != kindJPEG && namedImage(path) {
		return k, fmt.Errorf("data: %s: is %s; expected a PNG or JPEG image, as its name says", path, k)
	}
	return k, nil
}
