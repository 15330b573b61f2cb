package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/plume-ml/plume/blas"
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

// recordedSteps are those of two minibatches, the first repeated once; none of sampling.
func (t *training) recordedSteps() []moved {
	if t.images > 0 {
		return nil
	}
	b := t.minibatches()
	return []moved{{b[0], 0}, {b[0], 1}, {b[1], 0}}
}

// recording is a work with its result in float32, which all sides must reproduce.
type recording struct {
	work
	start  map[string][]float32
	params map[string][]model.Param // of each network
	result
}

// result is what a recorded work leaves.
type result struct {
	arrays map[string][]float32
	sums   []float64 // of the last step: squared error, prior loss, and at clippedSum clipped rows
}

const clippedSum = 2

// recorded is the work as it is recorded.
func (w work) recorded() work {
	w.config.DriftClip = w.clip
	return w
}

// in is the work in one of plume's ways.
func (w work) in(name way) work {
	w.config.Precision = blas.Precision(name)
	return w
}

// record does a work, writes its files into the directory, and keeps the results.
func (w work) record(dir string, images data.Dataset) (*recording, error) {
	p := pool.New(0)
	defer p.Close()
	t, err := w.recorded().training(images, p)
	if err != nil {
		return nil, err
	}
	decoder, score := w.networks()
	r := &recording{
		work: w, start: map[string][]float32{},
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
	if err := w.describe(dir, w.spec(images, t.recordedSteps())); err != nil {
		return nil, err
	}
	if err := writeFloats(filepath.Join(dir, w.name+".noise"), t.noise()...); err != nil {
		return nil, err
	}
	if r.result, err = t.do(); err != nil || w.images > 0 {
		return r, err
	}
	if clipped := r.sums[clippedSum]; clipped == 0 || clipped == float64(r.rows()) {
		return nil, fmt.Errorf("%s: %v of %d rows were clipped in the last recorded step: "+
			"it would not show how rows are clipped", r.name, clipped, r.rows())
	}
	return r, nil
}

// noise is the noise of the recorded work, as the scripts read it (steps_common.py).
func (t *training) noise() (list [][]float32) {
	if t.images > 0 {
		ids := make([]uint64, t.images)
		for i := range ids {
			ids[i] = uint64(i)
		}
		return [][]float32{t.normals(ids, 0, diffusion.StreamSamplePrior)}
	}
	for k, s := range t.recordedSteps() {
		ids, step := t.particles(s.Index), uint32(k)
		list = append(list, t.levels(step),
			t.normals(ids, step, diffusion.StreamScoreNoise),
			t.normals(ids, step, particle.StreamMove))
	}
	return list
}

// do does the recorded work.
func (t *training) do() (r result, err error) {
	if t.images > 0 {
		return t.sample()
	}
	for k, s := range t.recordedSteps() {
		stats, err := t.Step(method.Minibatch{
			Index: s.Index, Number: uint32(k), Repeat: s.Repeat,
		})
		if err != nil {
			return r, err
		}
		r.sums = []float64{stats.SquareError, stats.PriorLoss, stats.Clipped}
	}
	r.arrays = t.state
	return r, nil
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

// sample samples the recorded images.
func (t *training) sample() (result, error) {
	g := t.Generator(false)
	z, x := make([]float32, t.images*g.Latent()), make([]float32, t.images*g.Dim())
	spec := generate.Spec{Solver: diffusion.DDIM, Steps: t.solverSteps(), Seed: seed}
	err := g.SampleLatents(context.Background(), z, t.images, spec)
	if err != nil {
		return result{}, err
	}
	g.Decode(x, z, nil)
	return result{arrays: map[string][]float32{"latents": z, "images": x}}, nil
}
