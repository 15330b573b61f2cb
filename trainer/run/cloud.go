package run

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/plume-ml/plume/trainer/checkpoint"
)

// CloudName is the name of the particles' positions in a checkpoint.
const CloudName = "cloud/z"

// Cloud is the particles in a checkpoint, and what they belong to.
type Cloud struct {
	Rows []Row // of the training images, in the order of the particles
	// Z is rows x N x d, without its numbers until Make.
	Z checkpoint.Tensor
}

// Bytes is the memory that the particles need.
func (c *Cloud) Bytes() int64 {
	return 4 * int64(c.Z.Shape[0]) * int64(c.Z.Shape[1]) * int64(c.Z.Shape[2])
}

// Make makes room for the particles, to be read by checkpoint.LoadSome.
func (c *Cloud) Make() { c.Z.F32 = make([]float32, c.Bytes()/4) }

// Cloud describes the particles, of d numbers each, in the checkpoint in dir. It is an error if the
// run has none.
func (r *Run) Cloud(dir string, d int) (*Cloud, error) {
	state, meta, err := checkpoint.OpenState(dir)
	if err != nil {
		return nil, checkpoint.ForReader(err)
	}
	defer state.Close()
	entries := state.Entries()
	i := slices.IndexFunc(entries, func(e checkpoint.Entry) bool { return e.Name == CloudName })
	switch {
	case i < 0 && meta.Imported != "":
		return nil, withoutParticles(r.Dir)
	case i < 0:
		return nil, fmt.Errorf("%s has no particles: its method, %s, has an encoder in their place",
			r.Dir, r.Config.Method)
	}
	shape := entries[i].Shape
	if len(shape) != 3 || shape[2] != int64(d) {
		return nil, fmt.Errorf("%s: particles of shape %v, expected rows x particles x %d", dir,
			shape, d)
	}
	c := &Cloud{}
	if c.Rows, err = ReadRows(r.Dir); err != nil {
		return nil, err
	}
	if int64(len(c.Rows)) != shape[0] {
		return nil, fmt.Errorf("%s lists %d training images, and %s has particles of %d: they "+
			"belong to different runs", filepath.Join(r.Dir, rowsFile), len(c.Rows), dir, shape[0])
	}
	c.Z = checkpoint.Tensor{Name: CloudName, Shape: []int{len(c.Rows), int(shape[1]), d}}
	return c, nil
}
