package table

import (
	"io"

	"github.com/plume-ml/plume/trainer/file"
)

// Begin is Create on a file system and a stdout of the test.
func Begin(
	sys file.System, stdout io.Writer, path string, columns []Column,
) (*Writer, error) {
	return create(sys, stdout, path, CSV{}, columns)
}

// GroupBytes and SpoolBytes are the sizes at which blocks are written.
const (
	GroupBytes = groupBytes
	SpoolBytes = spoolBytes
)
