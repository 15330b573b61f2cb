package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

const seed = 1

// training is a method in the shape of a work, as a run builds it.
type training struct {
	work
	method.Method
	train data.Dataset
	state map[string][]float32 // its tensors, live
}

func (w work) training(images data.Dataset, p *pool.Pool) (*training, error) {
	m, err := method.New(w.config.Method, method.Setup{
		Options: w.config.Options, Train: images, Batch: w.config.Batch, Tile: w.config.Tile, Seed: seed, Pool: p,
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

// lastLayer is how large the weights of the score network's last layer begin: they begin at zero
// otherwise, and a step with zeros would not show whether all parts of it are right.
const lastLayer = 0.05

func (t *training) release() error {
	_, layout := t.layouts(t.train.Shape().Dim())
	params := t.state["prior/params"]
	if len(params) != layout.Size() || len(t.state["prior/ema"]) != layout.Size() {
		return fmt.Errorf("the method's prior has %d parameters and %d averages, want %d of both", len(params), len(t.state["prior/ema"]), layout.Size())
	}
	for i, name := range []string{"out.weight", "out.bias"} {
		out := layout.View(params, name)
		kernel.Normal(out, kernel.Key{Seed: seed, Step: uint32(i), Stream: 1 << 16}, 0)
		kernel.Scale(out, lastLayer)
	}
	copy(t.state["prior/ema"], params)
	t.Restored()
	return nil
}

// minibatches are the datapoints of a pass over the data, all of one length.
func (t *training) minibatches() [][]int {
	order := make([]int, t.train.Len())
	kernel.Perm(order, kernel.Key{Seed: seed, Stream: data.StreamShuffle})
	return slices.Collect(slices.Chunk(order[:len(order)/t.config.Batch*t.config.Batch], t.config.Batch))
}

// recordedSteps take two minibatches, the first twice.
func (t *training) recordedSteps() []moved {
	b := t.minibatches()
	return []moved{{b[0], 0}, {b[0], 1}, {b[1], 0}}
}

// recording is what the other sides must find when they do the recorded work.
type recording struct {
	work
	start, want map[string][]float32
	params      map[string][]model.Param // of each network
	sums        []float64                // squared error, prior loss and clipped rows of the last step
}

// record writes the files of a work into the directory, does it, and keeps the result.
func (w work) record(dir string, images data.Dataset) (*recording, error) {
	p := pool.New(0)
	defer p.Close()
	recorded := w
	recorded.config.DriftClip = w.clip
	t, err := recorded.training(images, p)
	if err != nil {
		return nil, err
	}
	decoder, score := w.layouts(images.Shape().Dim())
	r := &recording{
		work: w, start: map[string][]float32{}, want: t.state,
		params: map[string][]model.Param{"decoder": decoder.Params(), "prior": score.Params()},
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

// take takes the recorded steps and writes their noise.
func (r *recording) take(dir string, t *training) error {
	recorded := t.recordedSteps()
	if err := r.describe(dir, r.spec(t.train, recorded)); err != nil {
		return err
	}
	var noise [][]float32
	for k, s := range recorded {
		ids, step := t.particles(s.Index), uint32(k)
		noise = append(noise, t.levels(step), t.normals(ids, step, diffusion.StreamScoreNoise), t.normals(ids, step, particle.StreamMove))
		stats, err := t.Step(method.Minibatch{Index: s.Index, Number: step, Repeat: s.Repeat})
		if err != nil {
			return err
		}
		r.sums = []float64{stats.SquareError, stats.PriorLoss, stats.Clipped}
	}
	if clipped := r.sums[2]; clipped == 0 || clipped == float64(r.rows()) {
		return fmt.Errorf("%s: %v of %d rows were clipped in the last recorded step: it would not show how rows are clipped", r.name, clipped, r.rows())
	}
	return writeFloats(filepath.Join(dir, r.name+".noise"), noise...)
}

// levels are those of step k (diffusion.BoundTape.Begin).
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

// particles are the rows in the cloud of the particles of the datapoints.
func (t *training) particles(index []int) (ids []uint64) {
	for _, m := range index {
		for n := range t.config.Particles {
			ids = append(ids, uint64(m*t.config.Particles+n))
		}
	}
	return ids
}

// normals is a row of noise for each id.
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
	if err := g.SampleLatents(context.Background(), z, r.images, diffusion.DDIM, r.solverSteps(), seed); err != nil {
		return err
	}
	g.Decode(x, z)
	r.want = map[string][]float32{"latents": z, "images": x}
	return writeFloats(filepath.Join(dir, r.name+".noise"), t.normals(ids, 0, diffusion.StreamSamplePrior))
}
