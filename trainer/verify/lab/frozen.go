package lab

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
)

// frozenStep is so small a step size that no particle's position changes in float32: only theta is
// trained.
const frozenStep = 1e-16

// Levels says how the noise levels of theta's loss are weighted and drawn.
type Levels struct {
	diffusion.Weight
	diffusion.Density
}

// String names the density only if it is not uniform.
func (v Levels) String() string {
	if v.Density == diffusion.Uniform {
		return string(v.Weight)
	}
	return fmt.Sprintf("%s, %s levels", v.Weight, v.Density)
}

// Frozen starts a training of theta alone, from the given values, on a cloud that does not move: N
// particles of one datapoint. k numbers the seed.
func (l *Lab) Frozen(
	law exactnet.Law, levels Levels, cloud, theta []float32, lr float64, k int,
) (method.Method, error) {
	d := law.Dim()
	o := Plain(d, len(cloud)/d, frozenStep, lr)
	o.PriorWeight, o.PriorLevels = levels.Weight, levels.Density
	decoder := model.NewMLP(l.Products, d, 1)
	train := data.Table{D: 1, X: make([]float32, 1)}
	m, err := method.New("ipld", method.Setup{
		Options: o, Train: train, Batch: 1, Tile: 64, Seed: l.Seed(k), Pool: l.Pool,
		Decoder: decoder.Frozen(make([]float32, decoder.Layout().Size())),
		Prior:   &prior.Diffusion{Bound: prior.NewBound(o), Score: exactnet.Score(law)},
	})
	if err != nil {
		return nil, err
	}
	copy(Tensor(m, "cloud/z"), cloud)
	copy(Tensor(m, "prior/params"), theta)
	m.Restored()
	return m, nil
}

// Gradients returns a sample of theta's gradient at one theta, by parameters, from independent
// draws of levels and noise: a step of plain descent with learning rate 1 is minus the gradient.
func (l *Lab) Gradients(
	law exactnet.Law, levels Levels, cloud, theta []float32, k int,
) ([]Sample, error) {
	m, err := l.Frozen(law, levels, cloud, theta, 1, k)
	if err != nil {
		return nil, err
	}
	found := make([]Sample, len(theta))
	p := Tensor(m, "prior/params")
	for i := range l.N(200, 4000) {
		copy(p, theta)
		m.Restored()
		if _, err := l.StepAll(m, 1, i); err != nil {
			return nil, err
		}
		for k := range found {
			found[k] = append(found[k], float64(theta[k]-p[k]))
		}
	}
	return found, nil
}
