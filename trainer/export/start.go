package export

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// Start describes where the particles of rows start: at their coordinates in principal components
// of the training rows, or in those of their patches, as method.Components places them. The tensors
// are "start.mean" of D numbers, "start.components", D x K, "start.variances" of K, and
// "start.factor", by which the leading coordinates are multiplied; all are float64.
type Start struct {
	Bounded bool `json:"bounded"` // values are cut off at -1 and 1 before
}

// addStart adds the start of a run, if it has one.
func (m *Model) addStart(r *run.Run) error {
	c, err := r.Start()
	if err != nil || c == nil {
		return err
	}
	m.Start = &Start{}
	for _, t := range c.Tensors() {
		if t.U32 != nil { // whether it is bounded: exports have no integers
			m.Start.Bounded = t.U32[0] != 0
			continue
		}
		m.Tensors = append(m.Tensors, t)
	}
	return nil
}

// readStart reads the start of an export of a model with the options; nil: it has none.
func (f *File) readStart(o config.Options, shape data.Shape) (*method.Components, error) {
	if f.Start == nil {
		return nil, nil
	}
	c, err := method.ReadComponents(startOf{f}, o, shape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return c, nil
}

// startOf is the tensors of a start in an export.
type startOf struct{ f *File }

// Entries implements method.Tensors.
func (s startOf) Entries() []checkpoint.Entry { return s.f.list }

// Read implements method.Tensors.
func (s startOf) Read(into []checkpoint.Tensor) error {
	var arrays []checkpoint.Tensor
	for _, t := range into {
		if t.U32 != nil {
			t.U32[0] = 0
			if s.f.Start.Bounded {
				t.U32[0] = 1
			}
			continue
		}
		if err := s.f.require(t.Name, "F64", t.Shape); err != nil {
			return err
		}
		arrays = append(arrays, t)
	}
	return s.f.read(arrays)
}
