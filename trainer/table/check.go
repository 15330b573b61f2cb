package table

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/suggest"
)

// stdoutPath is the path that stands for CSV to stdout.
const stdoutPath = "-"

// Endings returns the endings of the files that Create writes.
func Endings() []string { return []string{".npy", ".npz", ".csv", ".parquet"} }

// CheckPath returns the error that Create would return for the path or the columns, without
// touching the file: call it before long work. Whether the directory can be written is left to
// Create.
func CheckPath(path string, columns ...Column) error {
	if err := checkPath(path, columns); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	return nil
}

func checkPath(path string, columns []Column) error {
	if len(columns) == 0 {
		panic("table: a table needs columns")
	}
	ending := filepath.Ext(path)
	if path != stdoutPath {
		if !slices.Contains(Endings(), ending) {
			return fmt.Errorf("%q: expected a name that ends in %s, or - for CSV to stdout%s", path,
				strings.Join(Endings(), ", "), suggest.DidYouMean(ending, Endings()))
		}
		if err := checkPlace(path); err != nil {
			return err
		}
	}
	if ending == ".npy" && len(columns) > 1 {
		return fmt.Errorf("%q: a .npy file holds one array, and these are %d (%s): "+
			"use .npz, .csv or .parquet", path, len(columns), list(columns))
	}
	return checkNames(columns, path == stdoutPath || ending == ".csv")
}

// checkPlace refuses paths in no directory, and those of something else than a file.
func checkPlace(path string) error {
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%q: the directory %s does not exist: create it first", path, dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%q: %s is no directory", path, dir)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%q exists and is no regular file: choose another name", path)
	}
	return nil
}

// checkNames refuses columns without a name of their own. flat names every number of a cell.
func checkNames(columns []Column, flat bool) error {
	seen := map[string]bool{}
	for _, c := range columns {
		if err := c.check(); err != nil {
			return err
		}
		names := []string{c.Name}
		if flat {
			names = c.names()
		}
		for _, name := range names {
			if seen[name] {
				return fmt.Errorf("two columns are named %q: rename one of them", name)
			}
			seen[name] = true
		}
	}
	return nil
}

// list lists the first names of columns.
func list(columns []Column) string {
	const most = 4
	var names []string
	for _, c := range columns[:min(most, len(columns))] {
		names = append(names, c.Name)
	}
	if len(columns) > most {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}
