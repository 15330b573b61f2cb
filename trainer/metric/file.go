package metric

import (
	"fmt"
	"io"

	"github.com/plume-ml/plume/trainer/file"
)

// writeFile replaces the file at path atomically with what write writes.
func writeFile(path string, write func(io.Writer) error) error {
	if err := file.Write(file.OS, path, write); err != nil {
		return fmt.Errorf("metric: writing %s: %w", path, err)
	}
	return nil
}
