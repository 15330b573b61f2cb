package trainer

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// reports is what a session keeps of its evaluations.
type reports struct {
	pca      *pca.PCA // of the training images, fitted when first needed
	pcaTried bool
	last     record.Epoch // with the distance of its samples
	pictures pictures
	floor    *record.Number // distance of the held-out images; nil: not measured yet
	curves   curves
	after    func(time.Duration) <-chan time.Time // nil: time.After
}

// pictures are the paths of the newest pictures.
type pictures struct{ samples, recon string }

const (
	pairImages   = 30
	fdComponents = 64
)

// evaluate draws samples, measures their PCA-64 FD into e, and makes the pictures. If that takes
// long, messages say what it is doing. With eval_samples = 0 it does nothing.
func (t *Trainer) evaluate(ctx context.Context, e *record.Epoch) error {
	if t.cfg.EvalSamples == 0 {
		return nil
	}
	return t.slowly(func(d *progress.Task) error { return t.measure(ctx, e, d) })
}

// slowly does a report's work, with messages if it takes long.
func (t *Trainer) slowly(work func(d *progress.Task) error) error {
	report := func(what string) { t.message("report: " + what) }
	return progress.Reporter{Report: report, After: t.reports.after}.Run(work)
}

// fitPCA fits the principal components of the training images when they are first needed. If they
// cannot be fitted, it warns, and evaluations go without the distance.
func (t *Trainer) fitPCA(ctx context.Context, d *progress.Task) error {
	if t.reports.pca != nil || t.reports.pcaTried {
		return nil
	}
	of := t.cfg.As.Words(fmt.Sprintf("principal components of %s images of %v",
		humanize.Comma(int64(t.data.train.Len())), t.data.train.Shape()))
	fitted, err := pca.Fit(ctx, t.data.train, t.data.train.Shape().Dim(), fdComponents, pca.Options{
		Pool: t.pool, Pass: func(n int) { d.Set(fmt.Sprintf("%s, pass %d", of, n)) },
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.reports.pcaTried, t.reports.pca = true, fitted
	if err != nil {
		d.Do(func() { t.warn(fmt.Sprintf("no PCA-64 FD for these data: %v", err)) })
	} else if !fitted.Converged() {
		d.Do(func() { t.warn(unconverged(fitted)) })
	}
	return nil
}

// unconverged warns of components that were not found to the usual accuracy.
func unconverged(p *pca.PCA) string {
	return fmt.Sprintf("the principal components of these data, of which many have nearly the "+
		"same variance, were found to %.1g of their variance only: a PCA-64 FD compares within "+
		"this run and others on the same data", p.Residual())
}

// reportAgain evaluates a complete run again, with the options of this session.
func (t *Trainer) reportAgain(ctx context.Context) error {
	t.message(fmt.Sprintf("The run is complete at %d epochs; a larger number of epochs "+
		"continues it.", t.cfg.Epochs))
	if err := t.recallReport(); err != nil {
		return err
	}
	err := t.evaluate(ctx, &t.reports.last)
	if ctx.Err() != nil {
		return ErrInterrupted // nothing to save: the checkpoint is the newest state
	}
	return cmp.Or(t.checkData(), err)
}

// measure does the work of evaluate. Images are decoded from the samples' latents when they are
// needed, a block at a time.
func (t *Trainer) measure(ctx context.Context, e *record.Epoch, doing *progress.Task) error {
	t.measurePeak(ctx)
	if err := t.fitPCA(ctx, doing); err != nil {
		return err
	}
	g := t.method.Generator(true)
	s := t.newSamples(g)
	n := len(s.z) / g.Latent()
	solver := string(t.cfg.Solver)
	drawing := fmt.Sprintf("drawing %s samples", humanize.Comma(int64(n)))
	if g.Model().Prior.Closed() { // whose samples need none
		solver = ""
	} else {
		drawing += " (" + solver + ")"
	}
	doing.Set(drawing)
	err := g.SampleLatents(ctx, s.z, n, generate.Spec{
		Solver: t.cfg.Solver, Steps: t.cfg.SolverSteps, Seed: t.cfg.Seed, Condition: s.conditions,
	})
	if err != nil {
		return err
	}
	if t.reports.pca != nil {
		doing.Set(fmt.Sprintf("distance of %s samples", humanize.Comma(int64(t.cfg.EvalSamples))))
		fd, err := t.reports.pca.Distance(ctx, t.measured(g, s), t.pool)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%w at step %d: %w", ErrDiverged, t.step, err)
		}
		distance := record.Number(fd)
		e.PCA64FD = &distance
		e.EvalSolver = solver
		if err := t.measureFloor(ctx, doing); err != nil {
			return err
		}
		e.PCA64Floor = t.reports.floor
	}
	doing.Set("pictures")
	if err := t.drawAndTell(g, s, doing); err != nil {
		return err
	}
	return t.updateCurves(*e)
}

// drawAndTell makes the pictures of a report, and tells of it.
func (t *Trainer) drawAndTell(g *generate.Generator, s samples, doing *progress.Task) error {
	before := t.reports.pictures
	t.reports.pictures = pictures{}
	if err := t.draw(g, s); err != nil {
		return err
	}
	drawn := t.reports.pictures
	if drawn == (pictures{}) {
		t.reports.pictures = before
	}
	doing.Do(func() { t.reportPictures(g, drawn) })
	return t.method.Err()
}

// measureFloor measures the PCA-64 FD of the held-out images, if there are two or more, to compare
// that of the samples with. Both are biased upwards, the more the fewer images there are.
func (t *Trainer) measureFloor(ctx context.Context, doing *progress.Task) error {
	if t.reports.floor != nil || t.data.held.Len() < 2 {
		return nil
	}
	doing.Set(t.cfg.As.Words(fmt.Sprintf("distance of %s held-out images",
		humanize.Comma(int64(t.data.held.Len())))))
	fd, err := t.reports.pca.Distance(ctx, t.data.held, t.pool)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		floor := record.Number(fd)
		t.reports.floor = &floor
	}
	return nil
}

// realFloor is what measureFloor measured; NaN if it could not, or if there was no report.
func (t *Trainer) realFloor() float64 {
	if t.reports.floor == nil {
		return math.NaN()
	}
	return float64(*t.reports.floor)
}

var reconNames = [2]string{"data", "their reconstructions"}

// draw writes a grid of samples, and originals above their reconstructions; of a table its columns.
func (t *Trainer) draw(g *generate.Generator, s samples) error {
	dir, err := t.writer.MakeSamplesDir()
	if err != nil {
		_, err := t.writePicture(dir, nil, err)
		return err
	}
	if t.data.schema != nil {
		return t.drawColumns(dir, g, s)
	}
	shape := t.data.train.Shape()
	p := pictures{
		samples: filepath.Join(dir, fmt.Sprintf("step-%06d.png", t.step)),
		recon:   filepath.Join(dir, fmt.Sprintf("recon-%06d.png", t.step)),
	}
	grid := make([]float32, (s.last-s.first)*shape.Dim())
	g.Decode(grid, of(s.z, g.Latent(), s.first, s.last),
		of(s.conditions, g.Conditions(), s.first, s.last))
	idx := data.Range(0, min(pairImages, t.data.train.Len()))
	originals, recon := make([]float32, len(idx)*shape.Dim()), make([]float32, len(idx)*shape.Dim())
	t.data.train.Gather(originals, idx)
	z := make([]float32, len(idx)*g.Latent())
	t.method.Latents(g, z, idx)
	g.Decode(recon, z, t.conditionsOf(idx))
	if err := t.method.Err(); err != nil {
		return err
	}
	view := run.View(t.cfg, shape)
	canvas, err := view.Grid(grid, gridColumns)
	drawn, err := t.writePicture(p.samples, canvas, err)
	if !drawn || err != nil {
		return err
	}
	canvas, err = view.Pairs(reconNames, originals, recon, gridColumns)
	if drawn, err = t.writePicture(p.recon, canvas, err); drawn {
		t.reports.pictures = p
	}
	return err
}

// writePicture writes a picture, unless err says that it could not be drawn, and reports whether it
// was written. A run does not end because the file system refuses a picture.
func (t *Trainer) writePicture(path string, canvas image.Image, err error) (bool, error) {
	if err == nil {
		err = file.Write(t.writer.Files, path, func(w io.Writer) error {
			return png.Encode(w, canvas)
		})
	}
	switch {
	case err == nil:
		t.recovered(&t.saving.pictures, "pictures are written again: "+path)
		return true, nil
	case file.Failed(err):
		t.inTrouble(&t.saving.pictures, fmt.Sprintf("no picture: %v; training goes on", err))
		return false, nil
	}
	return false, fmt.Errorf("writing %s: %w", path, err)
}
