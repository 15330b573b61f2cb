package trainer

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// pictures are the paths of the newest pictures.
type pictures struct{ samples, recon string }

const (
	gridImages, gridColumns = 100, 10
	pairImages              = 30
	fdComponents            = 64
)

func (t *Trainer) reportStep(s method.Stats) {
	p := record.Progress{
		Epoch:     t.next.epoch + 1,
		Epochs:    t.cfg.Epochs,
		Step:      t.step,
		Steps:     t.total(),
		RowsPerS:  record.Number(t.rows / t.busy),
		ReconMSE:  record.Number(s.SquareError / s.Rows / float64(t.train.Shape().Dim())),
		PriorLoss: record.Number(s.PriorLoss / s.Rows / float64(t.cfg.Latent)),
		Clipped:   record.Number(share(s.Clipped, s.Moved)),
	}
	perStep := t.busy / t.steps
	p.ETA = time.Duration(perStep * float64(t.total()-t.step) * float64(time.Second))
	for _, h := range t.hooks {
		if h.OnStep != nil {
			h.OnStep(p)
		}
	}
}

// share is part of whole, and nothing of nothing.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// record is the diagnostics of the epoch that the sums cover. Means over no rows are NaN.
func (t *Trainer) record() record.Epoch {
	s, d := t.sums, t.method.Diagnose(float64(t.step-1)/float64(t.total()))
	return record.Epoch{
		Epoch:             t.next.epoch + 1,
		Step:              t.step,
		Seconds:           record.Number(t.seconds()),
		StepSeconds:       record.Number(t.stepSeconds),
		CheckpointSeconds: record.Number(t.saving.stalled),
		Evaluations:       record.Number(t.evaluations),
		RowsPerS:          record.Number(t.rows / t.busy),
		ReconMSE:          record.Number(s.SquareError / s.Rows / float64(t.train.Shape().Dim())),
		PriorLoss:         record.Number(s.PriorLoss / s.Rows / float64(t.cfg.Latent)),
		LatentMS:          record.Number(d.Cloud.MeanSquare),
		LatentStdMin:      record.Number(d.Cloud.StdMin),
		LatentStdMax:      record.Number(d.Cloud.StdMax),
		Clipped:           record.Number(share(s.Clipped, s.Moved)),
		Redrawn:           record.Number(share(s.Redrawn, s.Moved)),
		ExtraTemperature:  record.Number(d.ExtraTemperature),
		EnergyNats:        record.Number((s.DataLoss + s.PriorLoss) / s.Rows),
		StepSize:          record.Number(d.StepSize),
		LR:                record.Number(d.LR),
		AnchorDrift:       record.Number(s.Anchor / s.Steps),
		Slowed:            t.slowedTo(),
	}
}

// reportAgain evaluates a complete run, whose last record is in the log, as this session asks.
func (t *Trainer) reportAgain(ctx context.Context) error {
	t.message(fmt.Sprintf("The run is complete at %d epochs; a larger number of epochs continues it.", t.cfg.Epochs))
	records, err := run.ReadRecords(t.writer.Dir)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		t.last = records[len(records)-1]
	}
	err = t.evaluate(ctx, &t.last)
	if ctx.Err() != nil {
		return ErrInterrupted // nothing to save: the checkpoint is the newest state
	}
	return err
}

// clipTolerance is the clipped share above which the second half of a training is warned about:
// the clip is there for rare blow-ups, and particles that it holds all the time do not sample.
// Beyond redrawnTolerance of re-drawn particles a training has no cloud to learn from.
const clipTolerance, redrawnTolerance = 0.01, 0.1

// lost reports divergence as soon as so many particles were re-drawn that the epoch's share of
// them will be beyond the tolerance.
func (t *Trainer) lost() error {
	moves := float64(t.train.Len() * t.cfg.Particles * t.cfg.InnerSteps * t.cfg.BatchRepeats)
	if t.sums.Redrawn <= redrawnTolerance*moves {
		return nil
	}
	return &method.Fault{
		Kind: method.BlownUp, Step: t.step, Value: fmt.Sprintf("%.0f %%", 100*redrawnTolerance), Try: method.TryMoves,
	}
}

// judge warns, once each, of an epoch whose particles did not move freely.
func (t *Trainer) judge(e record.Epoch) {
	if e.Redrawn > 0 && !t.redrawnNoted {
		t.redrawnNoted = true
		t.warn(fmt.Sprintf("%.2g %% of the particles' moves blew up and were re-drawn; a smaller step_size or a drift_clip keeps them", 100*e.Redrawn))
	}
	if e.Clipped > clipTolerance && 2*e.Epoch >= t.cfg.Epochs && !t.clipNoted {
		t.clipNoted = true
		t.warn(fmt.Sprintf("%.1f %% of the particles' moves are clipped; the step size is too large for this decoder: try a smaller step_size or a larger obs_noise", 100*e.Clipped))
	}
}

// measure is the work of evaluate. Images are made of the samples' latents when they are needed, a block at a
// time.
func (t *Trainer) measure(ctx context.Context, e *record.Epoch, doing *progress.Task) error {
	if err := t.fitPCA(ctx, doing); err != nil {
		return err
	}
	g := t.method.Generator(true)
	n, d := max(t.cfg.EvalSamples, gridImages), t.cfg.Latent
	z := make([]float32, n*d)
	doing.Set(fmt.Sprintf("drawing %s samples (%s)", humanize.Comma(int64(n)), t.cfg.Solver))
	if err := g.SampleLatents(ctx, z, n, t.cfg.Solver, t.cfg.SolverSteps, t.cfg.Seed); err != nil {
		return err
	}
	if t.pca != nil {
		doing.Set(fmt.Sprintf("distance of %s samples", humanize.Comma(int64(t.cfg.EvalSamples))))
		fd, err := t.pca.Distance(ctx, g.Images(z[:t.cfg.EvalSamples*d]), t.pool)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%w at step %d: %w", ErrDiverged, t.step, err)
		}
		distance := record.Number(fd)
		e.PCA64FD, e.EvalSolver = &distance, string(t.cfg.Solver)
	}
	doing.Set("pictures")
	return t.draw(g, z[:gridImages*d])
}

// realFloor is the distance of the held-out images, to compare the samples' with. It is biased
// upwards, the more the fewer there are, as theirs is at their own number.
func (t *Trainer) realFloor(ctx context.Context) float64 {
	if t.pca == nil || t.held.Len() < 2 {
		return math.NaN()
	}
	floor := math.NaN()
	err := t.slowly(func(d *progress.Task) (err error) {
		d.Set(fmt.Sprintf("distance of %s held-out images", humanize.Comma(int64(t.held.Len()))))
		floor, err = t.pca.Distance(ctx, t.held, t.pool)
		return err
	})
	if err != nil {
		return math.NaN()
	}
	return floor
}

// draw writes the grid of the latents' images and the originals above their reconstructions.
func (t *Trainer) draw(g *generate.Generator, z []float32) error {
	dir, err := t.writer.MakeSamplesDir()
	if err != nil {
		_, err := t.writePicture(dir, nil, err)
		return err
	}
	shape := t.train.Shape()
	p := pictures{
		samples: filepath.Join(dir, fmt.Sprintf("step-%06d.png", t.step)),
		recon:   filepath.Join(dir, fmt.Sprintf("recon-%06d.png", t.step)),
	}
	samples := make([]float32, gridImages*shape.Dim())
	g.Decode(samples, z)
	idx := data.Range(0, min(pairImages, t.train.Len()))
	originals, recon := make([]float32, len(idx)*shape.Dim()), make([]float32, len(idx)*shape.Dim())
	t.train.Gather(originals, idx)
	t.method.Reconstruct(g, recon, idx)
	if err := t.method.Err(); err != nil {
		return err
	}
	canvas, err := picture.Grid(samples, shape, gridColumns)
	drawn, err := t.writePicture(p.samples, canvas, err)
	if !drawn || err != nil {
		return err
	}
	canvas, err = picture.Pairs(originals, recon, shape, gridColumns)
	if drawn, err = t.writePicture(p.recon, canvas, err); drawn {
		t.pictures = p
	}
	return err
}
