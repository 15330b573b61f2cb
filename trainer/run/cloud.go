package run

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
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
	shape, err := r.cloudShape(state, meta, d)
	if err != nil {
		return nil, err
	}
	c := &Cloud{}
	if c.Rows, err = ReadRows(r.Dir); err != nil {
		return nil, err
	}
	if err := r.checkRows(dir, len(c.Rows), shape[0]); err != nil {
		return nil, err
	}
	c.Z = checkpoint.Tensor{Name: CloudName, Shape: shape}
	return c, nil
}

// EachParticle reads the particles, of d numbers each, in the checkpoint in dir, and calls use with
// those of at most so many rows at a time: row lo and on, and their particles, rows x N x d, which
// are valid until use returns. Errors are those of Cloud and of a damaged checkpoint, before the
// first call. It stops early, with ctx's error, when ctx ends.
func (r *Run) EachParticle(
	ctx context.Context, dir string, d, most int, use func(lo int, rows []Row, z []float32) error,
) error {
	state, meta, err := checkpoint.OpenWhole(ctx, dir)
	if err != nil {
		return checkpoint.ForReader(err)
	}
	defer state.Close()
	shape, err := r.cloudShape(state, meta, d)
	if err != nil {
		return err
	}
	listed := 0
	for _, err := range EachRow(r.Dir) {
		if err != nil {
			return err
		}
		listed++
	}
	if err := r.checkRows(dir, listed, shape[0]); err != nil {
		return err
	}
	next, stop := iter.Pull2(EachRow(r.Dir))
	defer stop()
	each := shape[1] * shape[2]
	most = min(most, shape[0])
	rows, z := make([]Row, most), make([]float32, most*each)
	for lo := 0; lo < shape[0]; lo += most {
		n := min(most, shape[0]-lo)
		for i := range n {
			var more bool
			if rows[i], err, more = next(); err != nil || !more {
				return cmp.Or(err, io.ErrUnexpectedEOF)
			}
		}
		err := state.ReadPart(CloudName, int64(lo)*int64(each), z[:n*each])
		if err == nil {
			err = use(lo, rows[:n], z[:n*each])
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// cloudShape is the shape of the particles in a checkpoint, rows x N x d.
func (r *Run) cloudShape(f *checkpoint.File, meta checkpoint.Meta, d int) ([]int, error) {
	entries := f.Entries()
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
		return nil, fmt.Errorf("%s: particles of shape %v, expected rows x particles x %d", r.Dir,
			shape, d)
	}
	return []int{int(shape[0]), int(shape[1]), d}, nil
}

// checkRows refuses particles of other rows than are listed.
func (r *Run) checkRows(dir string, listed, particles int) error {
	if listed == particles {
		return nil
	}
	return fmt.Errorf("%s lists %d training images, and %s has particles of %d: they belong to "+
		"different runs", filepath.Join(r.Dir, rowsFile), listed, dir, particles)
}
