package picture

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/plume-ml/plume/trainer/file"
)

// Write replaces the file at path by the picture as a PNG: at any time the file is the old one or
// the new one, whole. Its directory must exist.
func Write(path string, picture image.Image) error { return write(path, picture, nil) }

// write is Write, unless err, of drawing the picture, is an error.
func write(path string, picture image.Image, err error) error {
	if err == nil {
		err = file.Write(file.OS, path, func(w io.Writer) error { return png.Encode(w, picture) })
	}
	if err != nil {
		return fmt.Errorf("picture: writing %s: %w", path, err)
	}
	return nil
}
