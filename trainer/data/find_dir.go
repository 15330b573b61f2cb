package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer/data/files"
)

// findDir describes the data set in a directory: CIFAR batches or IDX files directly in it;
// otherwise pictures at any depth; otherwise the batches or IDX files of the one folder below it
// that has any. Names that begin with a dot are skipped.
//
// A file that may be an IDX file but cannot be read is an error, unless there are pictures.
func findDir(ctx context.Context, dir string, opt Options) (*Found, error) {
	f, err := findArrays(ctx, dir, opt)
	if f != nil || err != nil && !errors.As(err, new(unclear)) {
		return f, err
	}
	pictures, errPictures := findPictures(ctx, dir, opt)
	switch {
	case errPictures == nil || ctx.Err() != nil:
		return pictures, errPictures
	case err != nil:
		return nil, err
	}
	if below, errBelow := findBelow(ctx, dir, opt); below != nil || errBelow != nil {
		return below, errBelow
	}
	return nil, errPictures
}

// findArrays describes the CIFAR batches or IDX files directly in dir. It returns nil if there are
// none.
func findArrays(ctx context.Context, dir string, opt Options) (*Found, error) {
	l, err := listed(ctx, dir)
	if err != nil {
		return nil, err
	}
	if f, err := l.findCIFAR(ctx, opt); f != nil || err != nil {
		return f, err
	}
	return l.findIDX(ctx, opt)
}

// listing is the content of a directory.
type listing struct {
	dir     string
	entries []fs.DirEntry // sorted by name
}

func listed(ctx context.Context, dir string) (listing, error) {
	entries, err := files.Promptly(ctx, func() ([]fs.DirEntry, error) { return os.ReadDir(dir) })
	switch {
	case ctx.Err() != nil:
		return listing{}, fmt.Errorf("data: %s: %w", dir, ctx.Err())
	case err != nil:
		return listing{}, fmt.Errorf("data: %w", err)
	}
	return listing{dir, entries}, nil
}

// foldersBelow is how many levels below a directory findBelow searches: torchvision makes
// MNIST/raw in the directory that it is given.
const foldersBelow = 2

// errPicture ends the search of findBelow: a folder with pictures is not a folder of arrays.
var errPicture = errors.New("a picture")

// findBelow describes the CIFAR batches or IDX files of the only folder below dir that has any. It
// returns nil if there is none, or if a folder has pictures. Several such folders are an error.
func findBelow(ctx context.Context, dir string, opt Options) (*Found, error) {
	folders, err := arrayFolders(ctx, dir, foldersBelow)
	switch {
	case errors.Is(err, errPicture) || err == nil && len(folders) == 0:
		return nil, nil
	case err != nil:
		return nil, err
	case len(folders) > 1:
		return nil, fmt.Errorf("data: %s: holds no images itself, and several folders below it "+
			"do: %s; give the path of one",
			dir, strings.Join(firstOf(folders, maxListed), ", "))
	}
	f, err := findArrays(ctx, filepath.Join(dir, folders[0]), opt)
	if err != nil {
		return nil, err
	}
	f.Summary.Format += " in its folder " + folders[0]
	return f, nil
}

// maxListed is the number of names that an error lists.
const maxListed = 12

func firstOf(names []string, n int) []string {
	if len(names) <= n {
		return names
	}
	return append(names[:n:n], fmt.Sprintf("and %d more", len(names)-n))
}

// arrayFolders returns the folders at most depth levels below dir, relative to dir, that hold IDX
// images or CIFAR batches. It returns errPicture if it meets a picture.
func arrayFolders(ctx context.Context, dir string, depth int) (folders []string, err error) {
	l, err := listed(ctx, dir)
	if err != nil {
		return nil, err
	}
	for _, e := range l.entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path) // follows links; depth bounds loops
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("data: %s: %w", dir, ctx.Err())
		case err != nil || strings.HasPrefix(e.Name(), "."):
			continue
		case info.Mode().IsRegular() && isPicture(path):
			return nil, errPicture
		case !info.IsDir() || depth == 0:
			continue
		}
		holds, err := holdsArrays(ctx, path)
		if err != nil {
			return nil, err
		}
		if holds {
			folders = append(folders, e.Name())
		}
		below, err := arrayFolders(ctx, path, depth-1)
		if err != nil {
			return nil, err
		}
		for _, b := range below {
			folders = append(folders, filepath.Join(e.Name(), b))
		}
	}
	return folders, nil
}

// holdsArrays reports whether there are IDX images or CIFAR batches directly in dir.
func holdsArrays(ctx context.Context, dir string) (bool, error) {
	l, err := listed(ctx, dir)
	if err != nil {
		return false, err
	}
	batches, err := l.cifar(ctx)
	if err != nil || len(batches) > 0 {
		return err == nil, err
	}
	images, _, err := l.idx(ctx)
	return len(images) > 0, err
}

// isPicture reports whether a file is a picture by its first bytes or by its name.
func isPicture(path string) bool {
	if isPictureName(path) {
		return true
	}
	head, err := headOf(path)
	// findPictures reports files that cannot be read.
	return err == nil && kindOf(head) == kindPicture
}
