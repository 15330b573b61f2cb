package method

import (
	"errors"
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/phase"
)

// conditioning has the conditions of a minibatch's datapoints, which the networks read. Without
// conditions it is empty.
//
// In a step the condition of a datapoint is left out with probability drop, for all networks and
// particles alike, so that they learn the model without conditions too.
type conditioning struct {
	source data.Rows
	width  int // K
	drop   float64
	x      []float32 // B x K; nil: there are none
	u      []float32 // a uniform number
	clock  *phase.Clock
	counts []uint32 // of datapoints, by class and then of those without; nil: no conditions
}

// newConditioning makes the conditions of the setup.
func (s *Setup) newConditioning(a *memory.Arena) (*conditioning, error) {
	o := &s.Options
	c := &conditioning{width: conditions(*o), drop: o.ConditionDrop, clock: s.Clock}
	if !o.Conditional() {
		return c, nil
	}
	if c.width == 0 && !a.Counts() {
		return nil, errors.New("classes = 0: expected the number of classes, as from Resolve")
	}
	c.x, c.u = a.Floats(memory.Activations, s.Batch, c.width), a.Floats(memory.Activations, 1)
	c.counts = make([]uint32, c.width+1)
	var err error
	a.Fill(func() { err = c.open(s) })
	return c, err
}

// open sets the source and counts its classes: the setup's, or the classes of its images.
func (c *conditioning) open(s *Setup) error {
	if s.Conditions != nil {
		if n, m := s.Conditions.Len(), s.Train.Len(); n != m {
			return fmt.Errorf("%d conditions, expected one for each of the %d datapoints", n, m)
		}
		c.source, c.counts[c.width] = s.Conditions, uint32(s.Train.Len())
		return nil
	}
	classes := s.Classes
	if classes.Len() == 0 {
		var err error
		if classes, err = data.ClassesOf(s.Train); err != nil {
			return err
		}
	}
	if classes.Len() > c.width {
		return fmt.Errorf("classes = %d: expected at least the %d classes of the data",
			c.width, classes.Len())
	}
	c.source = classes.Conditions(s.Train, c.width)
	c.counts = classes.Count(s.Train, c.width)
	return nil
}

// gather sets the conditions to those of the datapoints index.
func (c *conditioning) gather(index []int) {
	if c.source != nil {
		defer c.clock.Enter(phase.Gather).End()
		c.source.Gather(c.x[:len(index)*c.width], index)
	}
}

// draw does the same as gather, but leaves some conditions out, by noise of the given key.
func (c *conditioning) draw(index []int, key kernel.Key) {
	c.gather(index)
	if c.source == nil || c.drop == 0 {
		return
	}
	for i, m := range index {
		if kernel.Uniform(c.u, key, uint64(m)); float64(c.u[0]) <= c.drop {
			clear(c.x[i*c.width : (i+1)*c.width])
		}
	}
}

// of returns new conditions, those of the datapoints index; nil without conditions.
func (c *conditioning) of(index []int) []float32 {
	if c.source == nil {
		return nil
	}
	x := make([]float32, len(index)*c.width)
	c.source.Gather(x, index)
	return x
}

// tensorClasses is the name of the tensor of counts in a checkpoint.
const tensorClasses = "condition/classes"

func (c *conditioning) tensors() []checkpoint.Tensor { return classTensors(c.counts) }

func classTensors(counts []uint32) []checkpoint.Tensor {
	if counts == nil {
		return nil
	}
	return []checkpoint.Tensor{{Name: tensorClasses, Shape: []int{len(counts)}, U32: counts}}
}
