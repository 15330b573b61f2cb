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
