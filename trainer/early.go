package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// EarlyStop ends a run once a number of its records has stopped falling, and keeps the checkpoint
// at which it was lowest as checkpoints/best. That is saved whenever the run saves a checkpoint
// (checkpoint_every) and at its end. It changes no bits of the steps.
type EarlyStop struct {
	Metric   string // one of StopMetrics, as metrics.jsonl calls it; empty: do neither
	Patience int    // records with that number since the lowest that end the run; 0: never
}

// StopMetrics are the numbers that EarlyStop takes: the energy and the error of held-out rows,
// which every epoch has, and the PCA-64 FD of the reports.
var StopMetrics = []string{"heldout_nats", "heldout_mse", "pca64_fd"}

// StopEarly sets the rule by which the session ends early. Resumed with the same rule, a run goes
// on with the best that it had.
func StopEarly(s EarlyStop) Option { return func(t *Trainer) { t.early.EarlyStop = s } }

// early is the rule and what the records say so far.
type early struct {
	EarlyStop
	best  float64 // lowest so far; +Inf: there is none
	step  int     // of the lowest
	at    *place  // of the lowest, if that is of this session
	since int     // records with the number after it
}

// value is the number of a record; nil: it has none.
func (s EarlyStop) value(e record.Epoch) *record.Number {
	return map[string]*record.Number{
		"heldout_nats": e.HeldOutNats, "heldout_mse": e.HeldOutMSE, "pca64_fd": e.PCA64FD,
	}[s.Metric]
}

// note takes a record into account, and reports whether its number is the lowest.
func (s *early) note(e record.Epoch) (best bool) {
	v := s.value(e)
	switch {
	case v == nil:
		return false
	case float64(*v) < s.best:
		s.best, s.step, s.since = float64(*v), e.Step, 0
		return true
	}
	s.since++
	return false
}

// over says why the run ends early; "": it does not.
func (s *early) over() string {
	if s.Metric == "" || s.Patience == 0 || s.since < s.Patience {
		return ""
	}
	return fmt.Sprintf("%s was lowest at step %s, %.5g, and not in the %d records after that",
		s.Metric, humanize.Comma(int64(s.step)), s.best, s.since)
}

// checkEarly refuses a rule whose number the run never has.
func (t *Trainer) checkEarly() error {
	switch s := t.early.EarlyStop; {
	case s.Metric == "":
		return nil
	case !slices.Contains(StopMetrics, s.Metric):
		return fmt.Errorf("early stop by %q: expected one of %s", s.Metric,
			strings.Join(StopMetrics, ", "))
	case s.Patience < 0:
		return fmt.Errorf("early stop with a patience of %d: expected 0 or more", s.Patience)
	case s.Metric == "pca64_fd" && (t.cfg.EvalSamples == 0 || t.cfg.EvalEvery == 0):
		return errors.New("early stop by pca64_fd: the run measures it only at its end, or " +
			"never: expected eval_samples and eval_every above 0")
	case s.Metric != "pca64_fd" && t.data.held.Len() == 0:
		return fmt.Errorf("early stop by %s: the run holds no rows out: expected a larger holdout",
			s.Metric)
	}
	return nil
}

// recallBest finds what the records say so far: the number at the best checkpoint, if there is one,
// and how many came after it.
func (t *Trainer) recallBest() error {
	s := &t.early
	s.best, s.step, s.at, s.since = math.Inf(1), 0, nil, 0
	if s.Metric == "" {
		return nil
	}
	found, err := checkpoint.Best(t.writer.Dir)
	if errors.Is(err, checkpoint.ErrNoBest) || err == nil && found.Problem != nil {
		return nil
	} else if err != nil {
		return err
	}
	records, err := run.ReadRecords(t.writer.Dir)
	for _, e := range records {
		switch v := s.value(e); {
		case v == nil:
		case e.Step == found.Step:
			s.best, s.step = float64(*v), e.Step
		case s.step > 0:
			s.since++
		}
	}
	return err
}

// writeBest writes the present state, that of the lowest number so far, in the place of the one
// before, and leaves it to the next save of the run to make it durable. So a number that falls from
// epoch to epoch does not send each of them to the disk: a file that is removed within some seconds
// mostly never gets there. A killed run finds the number again after its newest checkpoint.
func (t *Trainer) writeBest() (err error) {
	at := t.next
	t.early.at = &at
	if time.Now().Before(t.saving.retry) {
		return nil
	}
	began := time.Now()
	t.awaitSave()
	t.dropBest()
	t.saving.best, err = t.write()
	t.saving.stalled += time.Since(began).Seconds()
	return err
}

// saveBest begins to save the best state, if there is one to be saved, and waits for that unless it
// is the present one.
func (t *Trainer) saveBest() {
	w := t.saving.best
	if w == nil {
		return
	}
	t.saving.best = nil
	t.commit(w)
	if w.at != t.next {
		t.awaitSave()
	}
}

// dropBest removes the best state that is not saved yet. No save is under way.
func (t *Trainer) dropBest() {
	if t.team != nil {
		t.team.own.drop()
	}
	if t.saving.best == nil {
		return
	}
	if err := t.saving.best.pending.Discard(); err != nil {
		t.warn(err.Error())
	}
	t.saving.best = nil
}

// finish ends a run that is complete or has stopped early.
func (t *Trainer) finish(ctx context.Context) error {
	why := ""
	if t.next.epoch < t.cfg.Epochs {
		why = t.early.over()
		if err := t.reportHere(ctx); err != nil {
			return err
		}
		t.message("Stopped early: " + why)
	}
	t.tellBest()
	now := time.Now()
	return t.end(ctx, why, func(info *run.Info) {
		info.SetFinished(&now)
		info.Ended = why
	})
}

// tellBest says which checkpoint is the best.
func (t *Trainer) tellBest() {
	if t.early.Metric == "" {
		return
	}
	found, err := checkpoint.Best(t.writer.Dir)
	if err != nil {
		t.warn(err.Error())
		return
	}
	t.message(fmt.Sprintf("The best checkpoint by %s, %.5g: %s (%s)", t.early.Metric, t.early.best,
		filepath.Join(filepath.Dir(found.Dir), checkpoint.BestName), filepath.Base(found.Dir)))
}
