package metric

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// beside puts renameio's temporary file into the directory of its target.
func beside(path string) renameio.Option { return renameio.WithTempDir(filepath.Dir(path)) }

// writeFile replaces the file at path atomically with what write writes.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o666), beside(path))
	if err != nil {
		return fmt.Errorf("metric: writing %s: %w", path, err)
	}
	defer f.Cleanup() // does nothing once the file is in place
	w := bufio.NewWriter(f)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.CloseAtomicallyReplace()
	}
	if err != nil {
		return fmt.Errorf("metric: writing %s: %w", path, err)
	}
	return nil
}
