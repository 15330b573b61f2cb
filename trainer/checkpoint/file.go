package checkpoint

import (
	"fmt"
	"io"

	"github.com/plume-ml/plume/trainer/file"
)

// WriteFile writes the tensors to a safetensors file of their own, which appears complete or not at
// all. Errors are those of the file system, with the path. Malformed tensors panic.
func WriteFile(sys file.System, path string, tensors []Tensor) error {
	check(tensors)
	return file.Write(sys, path, func(w io.Writer) error { return writeSafetensors(w, tensors) })
}

// ReadFile fills the slices of into from a safetensors file, which may hold other tensors, too. It
// does not notice changed elements. Errors name the file; they are those of package os if it cannot
// be opened. After an error the slices may have changed.
func ReadFile(path string, into []Tensor) error {
	check(into)
	f, size, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	content, err := parse(f, size)
	if err == nil {
		err = (&source{f: f, content: content}).fill(into, true)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
