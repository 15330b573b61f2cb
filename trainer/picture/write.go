package picture

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/plume-ml/plume/trainer/file"
)

// Write writes the picture as a PNG file, atomically: at any time the file is either the old one or
// the complete new one. Its directory must exist.
func Write(path string, picture image.Image) error { return write(path, picture, nil) }

// write is Write, unless drawing the picture failed with err.
func write(path string, picture image.Image, err error) error {
	if err == nil {
		err = file.Write(file.OS, path, func(w io.Writer) error { return png.Encode(w, picture) })
	}
	if err != nil {
		return fmt.Errorf("picture: writing %s: %w", path, err)
	}
	return nil
}
