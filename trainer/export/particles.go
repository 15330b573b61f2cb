package export

import (
	"fmt"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/run"
)

// cloud is the particles of a run, and what they belong to.
type cloud struct {
	z    checkpoint.Tensor // of the checkpoint
	rows []run.Row
}

// openCloud makes room for the particles of d numbers in the checkpoint in dir.
func openCloud(r *run.Run, dir string, d int) (*cloud, error) {
	c, err := r.Cloud(dir, d)
	if err != nil {
		return nil, err
	}
	if err := fits(c.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: leave them out; they lie in %s too, by the name %s", err,
			filepath.Join(dir, "state.safetensors"), run.CloudName)
	}
	c.Make()
	return &cloud{z: c.Z, rows: c.Rows}, nil
}

// machine is the memory of this machine or container; 0: unknown. Tests replace it.
var machine = memory.Machine

// fits returns an error if particles do not fit into memory.
func fits(bytes int64) error {
	if has := machine(); has > 0 && bytes > has {
		return fmt.Errorf("the particles take %s of memory, and there are %s",
			memory.Human(bytes), memory.Human(has))
	}
	return nil
}

// tensors returns the particles and their rows as an export has them.
func (c *cloud) tensors() []checkpoint.Tensor {
	z := c.z
	z.Name = particlesName
	all := append([]checkpoint.Tensor{z}, rowTensors(len(c.rows))...)
	for i, row := range c.rows {
		all[1].F64[i] = float64(row.Source)
		all[2].F64[i] = float64(row.Label)
		if row.Flipped {
			all[3].F64[i] = 1
		}
	}
	return all
}

// rowTensors makes the tensors that say what n rows of particles belong to.
func rowTensors(n int) (all []checkpoint.Tensor) {
	for _, name := range []string{rowsSource, rowsLabel, rowsFlipped} {
		all = append(all, checkpoint.Tensor{Name: name, Shape: []int{n}, F64: make([]float64, n)})
	}
	return all
}

// readCloud reads the particles of an export; nil: it has none. d is the length of a latent.
func (f *File) readCloud(d int) (*cloud, error) {
	if f.Particles == nil {
		return nil, nil
	}
	// a size is checked against the file before there is memory for it
	m, n := f.Particles.Rows, f.Particles.Each
	if err := f.require(particlesName, "F32", []int{m, n, d}); err != nil {
		return nil, err
	}
	for _, name := range []string{rowsSource, rowsLabel, rowsFlipped} {
		if err := f.require(name, "F64", []int{m}); err != nil {
			return nil, err
		}
	}
	if err := fits(4 * int64(m) * int64(n) * int64(d)); err != nil {
		return nil, fmt.Errorf("%s: %w: export the run without them", f.path, err)
	}
	c := &cloud{z: checkpoint.Tensor{
		Name: particlesName, Shape: []int{m, n, d}, F32: make([]float32, m*n*d),
	}}
	of := rowTensors(m)
	if err := f.read(append([]checkpoint.Tensor{c.z}, of...)); err != nil {
		return nil, err
	}
	c.z.Name = run.CloudName
	for i := range m {
		c.rows = append(c.rows, run.Row{
			Source: int(of[0].F64[i]), Label: int(of[1].F64[i]), Flipped: of[2].F64[i] != 0,
		})
	}
	return c, nil
}

// images is the training images as far as rows.csv tells of them.
type images struct {
	data.Dataset
	rows []run.Row
}

func (s images) Len() int        { return len(s.rows) }
func (s images) Label(i int) int { return s.rows[i].Label }
func (s images) Origin(i int) data.Origin {
	return data.Origin{Row: s.rows[i].Source, File: s.rows[i].File, Flipped: s.rows[i].Flipped}
}
