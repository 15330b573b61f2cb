package method

import (
	"math"
	"sync"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// recorder is the score network r = 0, a layer that records what its rows are given: z_lambda, and
// then lambda.
type recorder struct {
	d    int
	lock sync.Mutex
	rows map[int][]float64
}

func (r *recorder) net() *model.Net {
	return model.Must(model.Build(nil, func(b *model.Builder) model.Node {
		z := b.Input("z", layer.Vector(r.d))
		return b.Add("recorder", r, z, b.Given(model.Lambda, layer.Vector(1)))
	}))
}

func (r *recorder) Out(in ...layer.Shape) (layer.Shape, error)   { return in[0], nil }
func (r *recorder) Params(...layer.Shape) []layer.Param          { return nil }
func (r *recorder) Memory(...layer.Shape) layer.Memory           { return layer.Memory{} }
func (r *recorder) Bind(layer.Values, ...layer.Shape) layer.Pair { return r }
func (r *recorder) Backward(t *layer.Tile)                       { clear(t.DX[0]) }

func (r *recorder) Forward(t *layer.Tile) {
	r.lock.Lock()
	defer r.lock.Unlock()
	clear(t.Y)
	for i := range t.N {
		z := reference.Wide(t.X[0][i*r.d : (i+1)*r.d])
		r.rows[t.First+i] = append(z, float64(t.X[1][i]))
	}
}

// scoredFlow is a flow on all datapoints whose prior has the given score network.
func scoredFlow(t *testing.T, o config.Options, score *model.Net) *flow {
	t.Helper()
	f := newFlow(t, "ipld", o, testPoints)
	s := f.setup
	s.Prior = &prior.Diffusion{Bound: prior.NewBound(o), Score: score}
	m, err := New("ipld", s)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*flow)
}

// The noise of a particle is addressed by datapoint, particle and move: it does not depend on the
// order of the minibatch or on the other datapoints in it.
func TestNoiseFollowsTheParticle(t *testing.T) {
	o := small()
	o.Particles, o.ScoreDraws = 2, 3
	type noise struct{ xi, eps []float64 }
	measure := func(index []int) map[uint64]noise {
		score := &recorder{d: o.Latent, rows: map[int][]float64{}}
		f := scoredFlow(t, o, score.net())
		before := reference.Wide(f.cloud.Z)
		mustStep(t, f, Minibatch{Index: index})
		d, found := o.Latent, map[uint64]noise{}
		for row, id := range f.batch.IDs {
			var n noise
			for j := range d {
				k, h := int(id)*d+j, o.StepSize
				g := float64(f.batch.G[row*d+j]) + float64(f.batch.P[row*d+j])
				n.xi = append(n.xi, (float64(f.cloud.Z[k])-before[k]+h*g)/math.Sqrt(2*h))
			}
			for draw := row * 3; draw < row*3+3; draw++ {
				seen := score.rows[draw]
				alpha := math.Sqrt(reference.Alpha2(seen[d]))
				sigma := math.Sqrt(reference.Alpha2(-seen[d]))
				for j, zl := range seen[:d] {
					n.eps = append(n.eps, (zl-alpha*before[int(id)*d+j])/sigma)
				}
			}
			found[id] = n
		}
		return found
	}
	far := func(a, b []float64) (most float64) {
		for i := range a {
			most = max(most, math.Abs(a[i]-b[i]))
		}
		return most
	}
	first := measure(everyPoint)
	for _, index := range [][]int{{8, 3, 0, 5, 7, 1, 2, 6, 4}, {6, 2}} {
		for id, n := range measure(index) {
			// Differences of numbers near 3, rounded to 2e-7, over sqrt(2h) = 0.2 and sigma >=
			// 0.08; lambda itself is rounded to 5e-7.
			if a, b := far(n.xi, first[id].xi), far(n.eps, first[id].eps); a > 1e-5 || b > 3e-5 {
				t.Errorf("order %v, particle %d: xi changed by %g, eps by %g", index, id, a, b)
			}
		}
	}
	if far(first[0].xi, first[1].xi) < 0.1 || far(first[0].eps, first[1].eps) < 0.1 ||
		far(first[0].eps[:3], first[0].eps[3:6]) < 0.1 {
		t.Error("two particles or two draws share their noise")
	}
}
