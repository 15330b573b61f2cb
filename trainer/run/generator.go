package run

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// Generator samples from a stored run, with workers of its own.
type Generator struct {
	*generate.Generator
	config config.Config
	info   Info
	meta   checkpoint.Meta
	pool   *pool.Pool
}

// Generator reads the networks for sampling from the run's checkpoint: with ema the averaged
// weights, if the run has an average. threads = 0 means all cores.
func (r *Run) Generator(ema bool, threads int) (*Generator, error) {
	info, err := ReadInfo(r.Dir)
	if err != nil {
		return nil, err
	}
	dir, err := r.Checkpoint()
	if err != nil {
		return nil, err
	}
	g := &Generator{config: r.Config, info: info, pool: pool.New(threads)}
	if g.Generator, g.meta, err = r.Load(dir, info.Shape, ema, g.pool); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// Checkpoint returns the directory of the checkpoint that From names.
func (r *Run) Checkpoint() (dir string, err error) {
	if r.From != "" {
		found, err := checkpoint.Find(r.Dir, r.From)
		return found.Dir, err
	}
	dir, err = checkpoint.Latest(r.Dir)
	return dir, checkpoint.ForReader(err)
}

// Load reads a generator of images of the given shape from the checkpoint in dir, and returns it
// with the checkpoint's description. The generator computes on p.
func (r *Run) Load(dir string, shape data.Shape, ema bool, p *pool.Pool) (
	*generate.Generator, checkpoint.Meta, error,
) {
	g, tensors, err := method.NewGenerator(r.Config.Method, r.Config.Options, shape, ema, p)
	if err != nil {
		return nil, checkpoint.Meta{}, err
	}
	meta, err := checkpoint.LoadSome(dir, tensors)
	return g, meta, checkpoint.ForReader(err)
}

// Shape is the shape of an image.
func (g *Generator) Shape() data.Shape { return g.info.Shape }

// Classes returns the classes that images can be drawn of; none for a model without classes.
func (g *Generator) Classes() data.Classes {
	if g.info.Classes == nil {
		return data.Classes{}
	}
	return *g.info.Classes
}

// Info is the content of the run's run.json.
func (g *Generator) Info() Info { return g.info }

// OfClasses returns conditions of n images of each of the classes, in their order (rows of
// Conditions() numbers). A class without training images is an error.
func (g *Generator) OfClasses(classes []int, n int) ([]float32, error) {
	k, counts := g.Conditions(), g.Model().Classes
	conditions := make([]float32, len(classes)*n*k)
	for i, class := range classes {
		if counts[class] == 0 {
			return nil, fmt.Errorf("no image of class %q is among those that the model was "+
				"trained on: all of them were held out", g.Classes().Names[class])
		}
		for row := i * n; row < (i+1)*n; row++ {
			conditions[row*k+class] = 1
		}
	}
	return conditions, nil
}

// Meta describes the checkpoint that the networks are from.
func (g *Generator) Meta() checkpoint.Meta { return g.meta }

// Pool is the generator's workers, until Close.
func (g *Generator) Pool() *pool.Pool { return g.pool }

// Close ends the workers.
func (g *Generator) Close() { g.pool.Close() }
