package lab

import (
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
)

// frozenStep is a step size that moves no particle by more than the rounding of its position: the cloud
// is fixed, and only theta is trained.
const frozenStep = 1e-16

// Frozen starts a training of theta alone on a cloud that does not move: N particles of one datapoint.
func (l *Lab) Frozen(law exactnet.Law, weight string, cloud, theta []float32, lr float64, k int) (method.Method, error) {
	d := law.Dim()
	o := Plain(d, len(cloud)/d, frozenStep, lr)
	o.PriorWeight = weight
	decoder := model.NewMLP(d, 1)
	m, err := method.New("ipld", method.Setup{
		Options: o, Train: data.Table{D: 1, X: make([]float32, 1)}, Batch: 1, Tile: 64, Seed: l.Seed(k), Pool: l.Pool,
		Decoder: exactnet.FixedNet{Net: decoder, P: make([]float32, decoder.Layout().Size())},
		Prior:   &prior.Diffusion{Bound: prior.NewBound(o), Score: exactnet.Score{Law: law}},
	})
	if err != nil {
		return nil, err
	}
	copy(Tensor(m, "cloud/z"), cloud)
	copy(Tensor(m, "prior/params"), theta)
	m.Restored()
	return m, nil
}

// Gradients are theta's gradients of independent draws at one theta: plain descent at rate 1 from
// there steps by minus the gradient.
func (l *Lab) Gradients(law exactnet.Law, weight string, cloud, theta []float32, k int) ([]Sample, error) {
	m, err := l.Frozen(law, weight, cloud, theta, 1, k)
	if err != nil {
		return nil, err
	}
	found := make([]Sample, len(theta))
	p := Tensor(m, "prior/params")
	for i := range l.N(200, 4000) {
		copy(p, theta)
		m.Restored()
		if _, err := l.Step(m, method.Minibatch{Index: All(1), Number: uint32(i)}); err != nil {
			return nil, err
		}
		for k := range found {
			found[k] = append(found[k], float64(theta[k]-p[k]))
		}
	}
	return found, nil
}
