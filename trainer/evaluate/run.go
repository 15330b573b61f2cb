package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/progress"
)

// evaluation is one call of Run.
type evaluation struct {
	Options
	*subject
	ctx    context.Context
	named  bool // Options.Which said what to measure
	report *Report
	doing  *progress.Task
	z      []float32 // latents of the samples, Samples x d
	asked  []float32 // their conditions, drawn with the shares of the classes; nil: none
	drawn  []float32 // of a table: the samples, Samples x D; nil: not drawn yet

	leftOut []string // groups that are for pictures, of a run on a table

	pca                 *pca.PCA // of the training images, fitted when first needed
	pcaErr              error    // why there is none
	unclassified        bool     // a note says that there is no classifier
	inPCA, inClassifier *sets
	spectra             *spectra           // of signals; nil: not measured
	neighbours          *metric.Neighbours // training images nearest to the samples
	inferred            []float32          // posterior means of the held-out images inferredImages
	inferredImages      data.Dataset
}

// images returns the samples: of a table draws, each with the noise of its cells.
func (e *evaluation) images() data.Rows {
	if e.schema == nil {
		return e.generator.Images(e.z, e.asked)
	}
	if e.drawn == nil {
		e.drawn = make([]float32, e.Samples*e.generator.Dim())
		e.generator.Draw(e.drawn, e.z, e.asked, e.Seed, 0)
	}
	return data.Table{D: e.generator.Dim(), X: e.drawn}
}

// compared returns the samples with the holes of training rows, for what compares whole rows.
func (e *evaluation) compared() data.Rows { return data.Holed(e.images(), e.own.Train, e.Seed) }

// group measures one group of metrics.
type group struct {
	name    string
	about   string // for Progress
	measure func(*evaluation) error
}

var groups = []group{
	{PCA, "distances in principal components", (*evaluation).pcaDistances},
	{Classifier, "distances in a classifier's features", (*evaluation).classifierDistances},
	{Sliced, "sliced Wasserstein distance", (*evaluation).slicedDistances},
	{ByClass, "samples by class", (*evaluation).byClass},
	{Precision, "precision and recall", (*evaluation).overlap},
	{Table, "columns of the table", (*evaluation).table},
	{Spectrum, "spectra of the signals", (*evaluation).spectrum},
	{Memorisation, "nearest training images", (*evaluation).memorisation},
	{Reconstruction, "posterior inference of held-out images", (*evaluation).reconstruction},
	{Likelihood, "log-likelihood of held-out images", (*evaluation).likelihood},
}

// Run evaluates the newest checkpoint of the run in runDir. It stops early, with ctx's error, when
// ctx ends. Metrics that this run does not allow (without labels, or without held-out images) are
// left out, with a note in the report.
func Run(ctx context.Context, runDir string, o Options) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	named := len(o.Which) > 0
	o = o.withDefaults()
	began := time.Now()
	s, err := open(ctx, runDir, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	e := &evaluation{Options: o, subject: s, ctx: ctx, named: named}
	e.Progress = func(text string) { o.Progress(e.words(text)) }
	if err := e.begin(runDir); err != nil {
		return nil, err
	}
	for _, g := range groups {
		if !o.wants(g.name) || !e.suits(g.name) {
			continue
		}
		e.Progress(g.about)
		if err := e.slowly(func() error { return g.measure(e) }); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", g.name, err)
		}
	}
	e.noteLeftOut()
	if o.Pictures != "" {
		if err := e.slowly(e.draw); err != nil {
			return nil, err
		}
	}
	e.report.Seconds = time.Since(began).Seconds()
	return e.report, nil
}

// slowly does work, and reports its current activity if that takes long.
func (e *evaluation) slowly(work func() error) error {
	return progress.Reporter{Report: e.Progress, After: e.after}.Run(func(d *progress.Task) error {
		e.doing = d
		err := work()
		return cmp.Or(data.Err(e.own.All), err) // numbers that are not finite come from there
	})
}

// begin describes the run in the report, and draws the samples.
func (e *evaluation) begin(runDir string) error {
	if e.Solver == "" {
		e.Solver, e.Steps = e.config.Solver, cmp.Or(e.Steps, e.config.SolverSteps)
	}
	standard, err := e.Solver.DefaultSteps()
	if err != nil {
		return err
	}
	if e.Steps == 0 {
		e.Steps = standard
	}
	if e.Guidance > 0 && e.generator.Conditions() == 0 {
		return fmt.Errorf("guidance is %v; expected 0: the run was trained without conditions",
			e.Guidance)
	}
	e.report = &Report{
		Run:        runDir,
		Method:     string(e.config.Method),
		Data:       e.own.Train.Name(),
		Step:       e.meta.Step,
		Epoch:      e.meta.Epoch,
		Averaged:   !e.Raw && e.config.EMA > 0,
		Kind:       e.kind(),
		TrainImage: e.own.Train.Len(),
		HeldOut:    e.own.Held.Len(),
		Samples:    e.Samples,
		Seed:       e.Seed,
		Guidance:   e.Guidance,
	}
	if !e.generator.Model().Prior.Closed() { // whose samples need no solver
		e.report.Solver, e.report.Steps = e.Solver, e.Steps
	}
	if !e.needsSamples() {
		return nil
	}
	return e.drawSamples()
}

// drawSamples draws the latents of the samples.
func (e *evaluation) drawSamples() error {
	e.Progress(fmt.Sprintf("drawing %d samples%s", e.Samples,
		bySolver(e.report.Solver, e.report.Steps)))
	e.z = make([]float32, e.Samples*e.generator.Latent())
	e.asked = e.generator.Condition(e.Samples, generate.Spec{Seed: e.Seed})
	err := e.slowly(func() error {
		e.doing.Set(fmt.Sprintf("drawing %d samples", e.Samples))
		return e.generator.SampleLatents(e.ctx, e.z, e.Samples, generate.Spec{
			Solver: e.Solver, Steps: e.Steps, Seed: e.Seed, Condition: e.asked,
			Guidance: e.Guidance,
		})
	})
	if err != nil {
		return err
	}
	if !kernel.AllFinite(e.z) {
		return fmt.Errorf("%w: the prior's samples are not finite", trainer.ErrDiverged)
	}
	return nil
}

// needsSamples reports whether anything requested needs samples.
func (e *evaluation) needsSamples() bool {
	return e.Pictures != "" || slices.ContainsFunc(e.Which, func(g string) bool {
		return g != Reconstruction && g != Likelihood
	})
}

// add reports a metric.
func (e *evaluation) add(m Metric) {
	m.Name, m.Note, m.Unit = e.words(m.Name), e.words(m.Note), e.words(m.Unit)
	e.report.Metrics = append(e.report.Metrics, m)
}

// words makes a text about images one about what the run was trained on.
func (e *evaluation) words(text string) string {
	if !e.kind().Bounded() {
		text = strings.ReplaceAll(text, "pixels in [-1, 1]", "encoded numbers")
		text = strings.ReplaceAll(text, "/image", "/"+e.kind().Words("image"))
	}
	return e.kind().Words(text)
}

// kind is what the run was trained on.
func (e *evaluation) kind() data.Kind {
	if e.schema != nil {
		return data.Columns
	}
	return e.config.As
}

// note adds a note on what was not measured.
func (e *evaluation) note(format string, args ...any) {
	e.report.Notes = append(e.report.Notes, e.words(fmt.Sprintf(format, args...)))
}
