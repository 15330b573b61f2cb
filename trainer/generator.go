package trainer

import (
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// Generator samples from a stored run.
type Generator struct {
	*generate.Generator
	shape data.Shape
	pool  *pool.Pool
}

// LoadGenerator reads what sampling needs from a run's newest checkpoint: the averaged weights
// for ema (those in training where the run has no average). threads = 0 means all cores.
func LoadGenerator(runDir string, ema bool, threads int) (*Generator, error) {
	cfg, err := LoadRun(runDir)
	if err != nil {
		return nil, err
	}
	info, err := LoadRunInfo(runDir)
	if err != nil {
		return nil, err
	}
	dir, err := checkpoint.Latest(runDir)
	if err != nil {
		return nil, checkpoint.ForReader(err)
	}
	g := &Generator{shape: info.Shape, pool: pool.New(threads)}
	inner, tensors, err := method.NewGenerator(cfg.Method, cfg.Options, g.shape.Dim(), ema, g.pool)
	if err == nil {
		_, err = checkpoint.LoadSome(dir, tensors)
	}
	if err != nil {
		g.Close()
		return nil, checkpoint.ForReader(err)
	}
	g.Generator = inner
	return g, nil
}

// Shape is the shape of an image.
func (g *Generator) Shape() data.Shape { return g.shape }

// Close ends the workers.
func (g *Generator) Close() { g.pool.Close() }
