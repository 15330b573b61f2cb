package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
)

// StoreStart writes start.safetensors, which Run.Start reads.
func (w *Writer) StoreStart(c *method.Components) error {
	path := filepath.Join(w.Dir, startFile)
	about := map[string]string{"plume": "start of particles"}
	if err := checkpoint.WriteFile(w.Files, path, about, c.Tensors()); err != nil {
		return fmt.Errorf("%s: %w", startFile, err)
	}
	return nil
}

// StartsAtComponents reports whether the particles of the run started at principal components.
func (r *Run) StartsAtComponents() bool {
	c := r.Config
	return c.CloudInit == config.FromComponents && method.Reads(c.Method, "cloud_init")
}

// Start reads where the particles of the run started; nil if that was N(0, I), or is not stored, as
// runs that earlier versions trained or exported do not (StartsAtComponents).
func (r *Run) Start() (*method.Components, error) {
	if !r.StartsAtComponents() {
		return nil, nil
	}
	path := filepath.Join(r.Dir, startFile)
	f, err := checkpoint.OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Verify(context.Background()); err != nil {
		return nil, err
	}
	info, err := ReadInfo(r.Dir)
	if err != nil {
		return nil, err
	}
	c, err := method.ReadComponents(f, r.Config.Options, info.Shape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
