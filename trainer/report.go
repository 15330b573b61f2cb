package trainer

import (
	"fmt"
	"math"
	"time"

	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

func (t *Trainer) reportStep(s method.Stats) {
	p := record.Progress{
		Epoch:     t.next.epoch + 1,
		Epochs:    t.cfg.Epochs,
		Step:      t.step,
		Steps:     t.total(),
		RowsPerS:  record.Number(t.speed.rows / t.speed.seconds),
		ReconMSE:  record.Number(s.SquareError / s.Rows / t.data.known),
		PriorLoss: record.Number(s.PriorLoss / s.Rows / float64(t.cfg.Latent)),
		Clipped:   perMove(s, s.Clipped),
	}
	p.ETA = t.left(t.speed.seconds / t.speed.steps)
	for _, h := range t.hooks {
		if h.OnStep != nil {
			h.OnStep(p)
		}
	}
}

func (t *Trainer) reportEpoch(e record.Epoch) {
	for _, h := range t.hooks {
		if h.OnEpoch != nil {
			h.OnEpoch(e)
		}
	}
}

// perMove is the share that n has of all moves: NaN if nothing moved.
func perMove(s method.Stats, n float64) record.Number { return record.Number(n / s.Moved) }

// anchor is the mean coefficient of the scale anchor: NaN if nothing moved.
func anchor(s method.Stats) record.Number {
	if s.Moved == 0 {
		return record.Number(math.NaN())
	}
	return record.Number(s.Anchor / s.Steps)
}

// record is the diagnostics of the epoch that the sums cover. Means over no rows are NaN.
func (t *Trainer) record() record.Epoch {
	phases := t.takePhases()
	s, d := t.sums, t.method.Diagnose(float64(t.step-1)/float64(t.total()))
	t.takePhases() // those of the diagnostics, which are no step
	sent, waited := t.exchanged()
	return record.Epoch{
		Epoch:             t.next.epoch + 1,
		Step:              t.step,
		Time:              time.Now().UTC().Truncate(time.Millisecond),
		Seconds:           record.Number(t.spent.seconds()),
		StepSeconds:       record.Number(t.spent.stepSeconds),
		CheckpointSeconds: record.Number(t.saving.stalled),
		Evaluations:       record.Number(t.spent.evaluations),
		RowsPerS:          record.Number(t.speed.rows / t.speed.seconds),
		ReconMSE:          record.Number(s.SquareError / s.Rows / t.data.known),
		PriorLoss:         record.Number(s.PriorLoss / s.Rows / float64(t.cfg.Latent)),
		LatentMS:          record.Number(d.Cloud.MeanSquare),
		LatentStdMin:      record.Number(d.Cloud.StdMin),
		LatentStdMax:      record.Number(d.Cloud.StdMax),
		Clipped:           perMove(s, s.Clipped),
		Redrawn:           perMove(s, s.Redrawn),
		ExtraTemperature:  record.Number(d.ExtraTemperature),
		EnergyNats:        record.Number((s.DataLoss + s.PriorLoss) / s.Rows),
		StepSize:          record.Number(d.StepSize),
		LR:                record.Number(d.LR),
		AnchorDrift:       anchor(s),
		PriorByLambda:     t.levels(),
		PhaseSeconds:      phases,
		ProductFLOPS:      record.Number(t.speed.operations / t.speed.seconds),
		PeakShare:         t.peakShare(),
		ExchangeBytes:     sent,
		ExchangeSeconds:   waited,
		Slowed:            t.slowedTo(),
	}
}

// In the second half of a run, a share of clipped moves above clipTolerance is warned of: the clip
// is for rare blow-ups, and particles that are clipped all the time do not sample. A run with a
// share of re-drawn particles above redrawnTolerance has no cloud to learn from.
const clipTolerance, redrawnTolerance = 0.01, 0.1

// checkRedrawn returns a fault as soon as so many particles were re-drawn that their share of the
// epoch's moves is certain to exceed the tolerance.
func (t *Trainer) checkRedrawn() error {
	moves := float64(t.data.points.Len() * t.cfg.Particles * t.cfg.InnerSteps * t.cfg.BatchRepeats)
	if t.sums.Redrawn <= redrawnTolerance*moves {
		return nil
	}
	return &method.Fault{
		Kind: method.BlownUp, Step: t.step, Try: method.TryMoves,
		Value: fmt.Sprintf("%.0f %%", 100*redrawnTolerance),
	}
}

// judge warns, once each, of an epoch whose particles did not move freely.
func (t *Trainer) judge(e record.Epoch) {
	if e.Redrawn > 0 && !t.warned.redrawn {
		t.warned.redrawn = true
		t.warn(fmt.Sprintf("%.2g %% of the particles' moves blew up and were re-drawn; a smaller "+
			"step_size or a drift_clip keeps them", 100*e.Redrawn))
	}
	if e.Clipped > clipTolerance && 2*e.Epoch > t.cfg.Epochs && !t.warned.clipped {
		t.warned.clipped = true
		t.warn(fmt.Sprintf("%.1f %% of the particles' moves are clipped; the step size is "+
			"too large for this decoder: try a smaller step_size or a larger obs_noise",
			100*e.Clipped))
	}
}
