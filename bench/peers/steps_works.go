package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

// work is a row of the comparison: training steps of a shape, or the sampling of images.
type work struct {
	name    string
	config  config.Config // as method.Resolve leaves it
	picture data.Shape    // of the images
	images  int           // to sample; 0: steps are measured
	clip    float64       // drift_clip in the recorded steps, low enough to clip some rows
}

const (
	sampling      = "sampling"
	sampledImages = 1000
)

// defaults are those of a run with two exceptions. There is no anchor and no decay of the decoder,
// which the scripts do not have: they cost a multiplication for each number of the cloud and each
// parameter of the decoder. And the moves are those of the recorded tables, four on each
// minibatch.
func defaults() config.Config {
	c := method.Default()
	c.ScaleAnchor, c.DecoderDecay, c.BatchRepeats = 0, 0, 4
	c.StepSize, c.StepSizeEnd, c.Friction = 3e-3, 5e-4, 0.2
	return c
}

// convolutions are the defaults for colour pictures of 32 x 32, with the exceptions of defaults
// that concern what the scripts have. The particles start at normals, which take no time.
func convolutions() config.Config {
	c, err := method.DefaultOn(config.IPLD, colour)
	if err != nil {
		panic("peers: " + err.Error()) // cannot be: the pictures can be halved
	}
	c.Data, c.CloudInit = "emoji", config.FromNormal
	c.ScaleAnchor, c.DecoderDecay = 0, 0
	return c
}

// The shapes of the pictures.
var (
	grey   = data.Shape{H: 28, W: 28, C: 1}
	colour = data.Shape{H: 32, W: 32, C: 3}
)

// works are the shapes S and L, the default run's own step D, that of convolutions C, and sampling
// with D's networks.
func works() []work {
	s := defaults()
	s.Batch, s.Particles = 128, 8
	l := s
	l.Latent, l.ScoreWidth, l.DecoderWidths = 64, 512, []int{512, 1024}
	return []work{
		{name: "S", config: s, picture: grey, clip: 0.03},
		{name: "L", config: l, picture: grey, clip: 0.03},
		{name: "D", config: defaults(), picture: grey, clip: 0.03},
		{name: "C", config: convolutions(), picture: colour, clip: 0.2},
		{name: sampling, config: defaults(), picture: grey, images: sampledImages},
	}
}

func (w work) solverSteps() int {
	steps, err := diffusion.DDIM.DefaultSteps()
	if err != nil {
		panic("peers: " + err.Error()) // cannot be: DDIM is a solver
	}
	return steps
}

// rows is the number of rows of a step, or of sampled images.
func (w work) rows() int {
	if w.images > 0 {
		return w.images
	}
	return w.config.Batch * w.config.Particles
}

// networks returns the decoder and the score network.
func (w work) networks() (decoder, score *model.Net) {
	decoder, err := method.NewDecoder(w.config.Options, w.picture)
	p, other := method.NewPrior(w.config.Method, w.config.Options)
	if err = errors.Join(err, other); err != nil {
		panic("peers: " + err.Error()) // cannot be: works are part of the program
	}
	return decoder, p.(*prior.Diffusion).Score
}

// operations is the number of floating-point operations in the products with parameters: 6 for each
// multiplication by a weight in a row of a step, and 2 for each in an image and evaluation of
// sampling.
func (w work) operations() float64 {
	d, s := w.networks()
	if w.images > 0 {
		return 2 * float64(w.images) * (s.Work()*float64(w.solverSteps()) + d.Work())
	}
	return 6 * float64(w.rows()) * (d.Work() + s.Work())
}

// spec is a work's description for the scripts (steps_common.py).
type spec struct {
	Data          string      `json:"data"` // the file of the images
	Points        int         `json:"points"`
	Pixels        int         `json:"pixels"`
	Images        int         `json:"images"`
	SolverSteps   int         `json:"solver_steps"`
	Steps         []moved     `json:"steps"`
	Batch         int         `json:"batch"`
	Repeats       int         `json:"repeats"`
	Latent        int         `json:"latent"`
	ObsNoise      float64     `json:"obs_noise"`
	Conv          bool        `json:"conv"`    // convolutions, else MLPs
	Picture       []int       `json:"picture"` // height, width, channels
	LatentShape   []int       `json:"latent_shape"`
	DecoderWidths []int       `json:"decoder_widths"`
	ScoreWidth    int         `json:"score_width"`
	ScoreBlocks   int         `json:"score_blocks"`
	ScoreHeads    int         `json:"score_heads"`
	ScoreFeatures int         `json:"score_features"`
	DecoderParams []parameter `json:"decoder_params"`
	ScoreParams   []parameter `json:"score_params"`
	LambdaMin     float64     `json:"lambda_min"`
	LambdaMax     float64     `json:"lambda_max"`
	Particles     int         `json:"particles"`
	StepSize      float64     `json:"step_size"`
	Friction      float64     `json:"friction"`
	DriftClip     float64     `json:"drift_clip"`
	RecordedClip  float64     `json:"recorded_clip"`
	PriorWeight   string      `json:"prior_weight"`
	LR            float64     `json:"lr"`
	ScoreLR       float64     `json:"score_lr"`
	EMA           float64     `json:"ema"`
	Constant      float64     `json:"constant"` // of the bound on -log p(z) of a row
}

// parameter is an array of a network's parameters.
type parameter struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

func parameters(net *model.Net) (list []parameter) {
	for _, p := range net.Layout().Params() {
		list = append(list, parameter{p.Name, p.Shape})
	}
	return list
}

// moved is a recorded step: its minibatch, and how many steps were made on it before.
type moved struct {
	Index  []int `json:"index"`
	Repeat int   `json:"repeat"`
}

func (w work) spec(images data.Dataset, recorded []moved) spec {
	o := w.config.Options
	decoder, score := w.networks()
	s := spec{
		Data: w.config.Data, Points: images.Len(), Pixels: images.Shape().Dim(), Images: w.images,
		SolverSteps: w.solverSteps(), Steps: recorded,
		Batch: w.config.Batch, Repeats: o.BatchRepeats,
		Latent: o.Latent, ObsNoise: o.ObsNoise, DecoderWidths: o.DecoderWidths,
		ScoreWidth: o.ScoreWidth, ScoreBlocks: o.ScoreBlocks, ScoreFeatures: o.ScoreFeatures,
		Conv: o.Decoder == config.Conv, Picture: []int{w.picture.H, w.picture.W, w.picture.C},
		LatentShape: o.LatentShape, ScoreHeads: o.ScoreHeads,
		DecoderParams: parameters(decoder), ScoreParams: parameters(score),
		LambdaMin: o.LambdaMin, LambdaMax: o.LambdaMax, PriorWeight: string(o.PriorWeight),
		Particles: o.Particles, StepSize: o.StepSize, Friction: o.Friction,
		DriftClip: o.DriftClip, RecordedClip: w.clip,
		LR: o.LR, ScoreLR: o.ScoreLR, EMA: o.EMA,
		Constant: prior.NewBound(o).Constant(o.Latent),
	}
	if w.images > 0 {
		s.Repeats = 1
	}
	return s
}

// supported is an error if the scripts do not implement a configuration.
func supported(c config.Config) error {
	o := c.Options
	var errs []error
	expect := func(ok bool, key string, value any) {
		if !ok {
			const text = "the scripts of the other sides do not know %s = %v: extend them first"
			errs = append(errs, fmt.Errorf(text, key, value))
		}
	}
	expect(c.Method == "ipld", "method", c.Method)
	expect(o.Dynamics == particle.Underdamped, "dynamics", o.Dynamics)
	expect(o.InnerSteps == 1, "inner_steps", o.InnerSteps)
	expect(o.ScoreDraws == 1, "score_draws", o.ScoreDraws)
	expect(o.ScaleAnchor == 0, "scale_anchor", o.ScaleAnchor)
	expect(o.DriftClip > 0, "drift_clip", o.DriftClip)
	expect(o.CatchUp == 0, "catch_up", o.CatchUp)
	expect(o.PriorWarmup == 0, "prior_warmup", o.PriorWarmup)
	expect(o.PriorDrift == diffusion.BoundDrift, "prior_drift", o.PriorDrift)
	expect(!o.ControlVariate, "control_variate", o.ControlVariate)
	expect(o.Optimizer == optim.Adam, "optimizer", o.Optimizer)
	expect(o.DecoderDecay == 0, "decoder_decay", o.DecoderDecay)
	expect(o.EMA > 0, "ema", o.EMA)
	expect(o.Condition == config.Unconditional, "condition", o.Condition)
	conv := o.Decoder == config.Conv
	expect(!conv || o.Score == config.ScoreUNet, "score", o.Score)
	expect(!conv || o.Particles == 1, "particles", o.Particles)
	return errors.Join(errs...)
}

// describe writes the work's description into the directory.
func (w work) describe(dir string, s spec) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, w.name+".json"), text, 0o644)
}
