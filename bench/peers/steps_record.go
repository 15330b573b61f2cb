package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

const seed = 1

// training is the method of a work, as a run builds it.
type training struct {
	work
	method.Method
	train data.Dataset
	state map[string][]float32 // its tensors, live
}

func (w work) training(images data.Dataset, p *pool.Pool) (*training, error) {
	m, err := method.New(w.config.Method, method.Setup{
		Options: w.config.Options, Train: images, Batch: w.config.Batch, Tile: w.config.Tile,
		Seed: seed, Pool: p,
	})
	if err != nil {
		return nil, err
	}
	t := &training{work: w, Method: m, train: images, state: map[string][]float32{}}
	for _, tensor := range m.Tensors() {
		if tensor.F32 != nil {
			t.state[tensor.Name] = tensor.F32
		}
	}
	return t, t.release()
}

// released is the size of the parameters that are zero when a run starts: the last layer of the
// score network, the last of every residual block of convolutions, and norms. With zeros the first
// steps would not show errors in these and in the layers before them.
const released = 0.05

// release sets these parameters, and the averages.
func (t *training) release() error {
	decoder, score := t.networks()
	for network, net := range map[string]*model.Net{"decoder": decoder, "prior": score} {
		layout := net.Layout()
		params, averages := t.state[network+"/params"], t.state[network+"/ema"]
		if len(params) != layout.Size() || len(averages) != layout.Size() {
			return fmt.Errorf("the method's %s has %d parameters and %d averages, want %d of both",
				network, len(params), len(averages), layout.Size())
		}
		for i, p := range layout.Params() {
			x := params[p.Offset : p.Offset+p.Len]
			if !slices.ContainsFunc(x, func(v float32) bool { return v != 0 }) {
				kernel.Normal(x, kernel.Key{Seed: seed, Step: uint32(i), Stream: 1 << 16}, 0)
				kernel.Scale(x, released)
			}
		}
		copy(averages, params)
	}
	t.Restored()
	return nil
}

// minibatches returns the minibatches of a pass over the data, all of the same length.
func (t *training) minibatches() [][]int {
	order := make([]int, t.train.Len())
	kernel.Perm(order, kernel.Key{Seed: seed, Stream: data.StreamShuffle})
	batch := t.config.Batch
	return slices.Collect(slices.Chunk(order[:len(order)/batch*batch], batch))
}

// recordedSteps are those of two minibatches, the first repeated once.
func (t *training) recordedSteps() []moved {
	b := t.minibatches()
	return []moved{{b[0], 0}, {b[0], 1}, {b[1], 0}}
}

// recording is a work with its results, which the other sides must reproduce.
type recording struct {
	work
	start, want map[string][]float32
	params      map[string][]model.Param // of each network
	// squared error, prior loss and clipped rows of the last step
	sums []float64
}

// record does a work, writes its files into the directory, and keeps the results.
func (w work) record(dir string, images data.Dataset) (*recording, error) {
	p := pool.New(0)
	defer p.Close()
	recorded := w
	recorded.config.DriftClip = w.clip
	t, err := recorded.training(images, p)
	if err != nil {
		return nil, err
	}
	decoder, score := w.networks()
	r := &recording{
		work: w, start: map[string][]float32{}, want: t.state,
		params: map[string][]model.Param{
			"decoder": decoder.Layout().Params(), "prior": score.Layout().Params(),
		},
	}
	for name, x := range t.state {
		r.start[name] = slices.Clone(x)
	}
	err = writeFloats(filepath.Join(dir, w.name+".start"),
		r.start["decoder/params"], r.start["prior/params"], r.start["cloud/z"], r.start["cloud/u"])
	if err != nil {
		return nil, err
	}
	if w.images > 0 {
		return r, r.sample(dir, t)
	}
	return r, r.take(dir, t)
}

// take makes the recorded steps, and writes the noise that they use.
func (r *recording) take(dir string, t *training) error {
	recorded := t.recordedSteps()
	if err := r.describe(dir, r.spec(t.train, recorded)); err != nil {
		return err
	}
	var noise [][]float32
	for k, s := range recorded {
		ids, step := t.particles(s.Index), uint32(k)
		noise = append(noise, t.levels(step),
			t.normals(ids, step, diffusion.StreamScoreNoise),
			t.normals(ids, step, particle.StreamMove))
		stats, err := t.Step(method.Minibatch{Index: s.Index, Number: step, Repeat: s.Repeat})
		if err != nil {
			return err
		}
		r.sums = []float64{stats.SquareError, stats.PriorLoss, stats.Clipped}
	}
	if clipped := r.sums[2]; clipped == 0 || clipped == float64(r.rows()) {
		return fmt.Errorf("%s: %v of %d rows were clipped in the last recorded step: "+
			"it would not show how rows are clipped", r.name, clipped, r.rows())
	}
	return writeFloats(filepath.Join(dir, r.name+".noise"), noise...)
}

// levels returns the log-SNRs of step k (diffusion.BoundTape.Begin).
func (t *training) levels(k uint32) []float32 {
	key := kernel.Key{Seed: seed, Step: k, Stream: diffusion.StreamLambda}
	perm, u, levels := make([]int, t.rows()), make([]float32, 1), make([]float32, t.rows())
	kernel.Uniform(u, key, 1<<32)
	kernel.Perm(perm, key)
	span := t.config.LambdaMax - t.config.LambdaMin
	for i, p := range perm {
		levels[i] = float32(t.config.LambdaMin + span*(float64(p)+float64(u[0]))/float64(t.rows()))
	}
	return levels
}

// particles returns the rows in the cloud of the particles of some datapoints.
func (t *training) particles(index []int) (ids []uint64) {
	for _, m := range index {
		for n := range t.config.Particles {
			ids = append(ids, uint64(m*t.config.Particles+n))
		}
	}
	return ids
}

// normals returns a row of noise for each id.
func (t *training) normals(ids []uint64, step uint32, stream kernel.Stream) []float32 {
	x := make([]float32, len(ids)*t.config.Latent)
	kernel.NormalRows(x, ids, t.config.Latent, kernel.Key{Seed: seed, Step: step, Stream: stream})
	return x
}

// sample samples the recorded images and writes the latents that they start from.
func (r *recording) sample(dir string, t *training) error {
	if err := r.describe(dir, r.spec(t.train, nil)); err != nil {
		return err
	}
	ids := make([]uint64, r.images)
	for i := range ids {
		ids[i] = uint64(i)
	}
	g := t.Generator(false)
	z, x := make([]float32, r.images*g.Latent()), make([]float32, r.images*g.Dim())
	spec := generate.Spec{Solver: diffusion.DDIM, Steps: r.solverSteps(), Seed: seed}
	err := g.SampleLatents(context.Background(), z, r.images, spec)
	if err != nil {
		return err
	}
	g.Decode(x, z, nil)
	r.want = map[string][]float32{"latents": z, "images": x}
	start := t.normals(ids, 0, diffusion.StreamSamplePrior)
	return writeFloats(filepath.Join(dir, r.name+".noise"), start)
}
