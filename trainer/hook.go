package trainer

import (
	"slices"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Hook is called by the goroutine of Run, or Train, as training proceeds. Nil fields are skipped.
type Hook struct {
	OnStart      func(Start) // before the first step of a session of Run
	OnStep       func(record.Progress)
	OnEpoch      func(record.Epoch)
	OnCheckpoint func(step int, dir string) // when it is durable
	OnReport     func(Report)               // when samples have been measured and drawn
	OnMessage    func(string)
	OnWarning    func(string) // for the user to act on, even if progress is not shown
	OnEnd        func(Summary)
}

// Start describes a run at the beginning of a session.
type Start struct {
	Dir    string
	Config config.Config
	Info   run.Info // with the memory that was planned
	Step   int      // steps taken in earlier sessions
	Steps  int      // of the whole run
}

// Report is what an evaluation leaves to be looked at.
type Report struct {
	Step           int
	Samples, Recon string    // paths of the pictures; empty: there is none
	Latents        []float32 // of training images, n x Latent: particles or means of the encoder
	Latent         int
}

// reportedLatents is the number of training images whose latents are reported, at most.
const reportedLatents = 1000

// reportPictures tells of an evaluation.
func (t *Trainer) reportPictures(g *generate.Generator, drawn pictures) {
	for _, h := range t.hooks {
		if h.OnReport == nil {
			continue
		}
		idx := data.Range(0, min(reportedLatents, t.data.train.Len()))
		r := Report{
			Step: t.step, Samples: drawn.samples, Recon: drawn.recon,
			Latents: make([]float32, len(idx)*g.Latent()), Latent: g.Latent(),
		}
		t.method.Latents(g, r.Latents, idx)
		h.OnReport(r)
	}
}

func (t *Trainer) reportStart() {
	s := Start{
		Dir: t.writer.Dir, Config: t.cfg, Info: t.info(), Step: t.step, Steps: t.total(),
	}
	for _, h := range t.hooks {
		if h.OnStart != nil {
			h.OnStart(s)
		}
	}
}

// Summary describes a run that has ended.
type Summary struct {
	Seconds    float64 // wall time of training and reports, over all sessions
	Steps      int     // parameter steps
	Ended      string  // why before the last epoch; empty: it is complete
	Final      record.Epoch
	SamplePath string       // grid of samples; empty without reports (eval_samples = 0)
	ReconPath  string       // originals above their reconstructions; empty without reports
	Samples    int          // samples behind Final.PCA64FD; 0 without reports
	RealFloor  float64      // PCA-64 FD of the held-out images; NaN without them
	RealImages int          // held-out images behind RealFloor
	Memory     run.Memory   // of the process, in this session
	Read       data.Summary // of the data, in this session
	Stall      run.Stall    // of training by checkpoints, over all sessions
}

// Option adjusts a Trainer.
type Option func(*Trainer)

// Given says which keys of the configuration were given. The others may take the defaults of the
// networks that suit the data. It is needed only where a value that was chosen is also the method's
// default: without it, keys with these values may take the others (method.Resolve).
func Given(keys []string) Option {
	return func(t *Trainer) {
		t.given = func(key string) bool { return slices.Contains(keys, key) }
	}
}

// WithHook adds a hook; hooks are called in the order they were added.
func WithHook(h Hook) Option { return func(t *Trainer) { t.hooks = append(t.hooks, h) } }

// WithConditions gives the datapoints conditions of their own in the place of classes: a row for
// each training image and, with flip, for each of their mirror images. Each has as many numbers as
// the configuration's Classes says; zeros mean no condition.
func WithConditions(rows data.Rows) Option { return func(t *Trainer) { t.like = rows } }

func (t *Trainer) message(text string) {
	for _, h := range t.hooks {
		if h.OnMessage != nil {
			h.OnMessage(text)
		}
	}
}

func (t *Trainer) warn(text string) {
	for _, h := range t.hooks {
		if h.OnWarning != nil {
			h.OnWarning(text)
		}
	}
}
