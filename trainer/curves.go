package trainer

import (
	"errors"
	"image"
	"io/fs"
	"time"

	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// curves is what a session keeps of the picture of the learning curves.
type curves struct {
	step  int           // of the last record in the picture
	drawn time.Time     // zero: not yet
	took  time.Duration // to draw it
}

// seldom is how many times as long as drawing took the next drawing waits, so that reports that
// follow each other quickly do not wait for pictures.
const seldom = 20

// updateCurves draws the learning curves of the run so far, e being the record under way, unless
// that was done a moment ago.
func (t *Trainer) updateCurves(e record.Epoch) error {
	c := &t.reports.curves
	if time.Since(c.drawn) < seldom*c.took {
		return nil
	}
	began := time.Now()
	err := t.drawCurves(e)
	c.step, c.drawn, c.took = e.Step, time.Now(), time.Since(began)
	return err
}

// finishCurves draws the learning curves at the end of a session, if the last report did not.
func (t *Trainer) finishCurves() error {
	if e := t.reports.last; t.cfg.EvalSamples > 0 && t.reports.curves.step != e.Step {
		return t.drawCurves(e)
	}
	return nil
}

func (t *Trainer) drawCurves(e record.Epoch) error {
	records, err := t.withRecord(e)
	var canvas image.Image
	if err == nil {
		canvas, err = figure.Stack(errorCurves(records), distanceCurves(records))
	}
	if errors.Is(err, figure.ErrEmpty) {
		return nil
	}
	_, err = t.writePicture(run.CurvesPath(t.writer.Dir), canvas, err)
	return err
}

// withRecord returns the records so far and then e, which takes the place of those from its step
// on: they are of before it was measured again.
func (t *Trainer) withRecord(e record.Epoch) ([]record.Epoch, error) {
	records, err := run.ReadRecords(t.writer.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for len(records) > 0 && records[len(records)-1].Step >= e.Step {
		records = records[:len(records)-1]
	}
	return append(records, e), nil
}

// errorCurves are those of the squared errors of training and of held-out rows.
func errorCurves(records []record.Epoch) figure.Plot {
	return figure.Plot{
		Title: "Reconstruction", XLabel: "steps", LogY: true,
		YLabel: "mean squared error of a number",
		Series: []figure.Series{
			column(records, "recon_mse", "training rows"),
			column(records, "heldout_mse", "held-out rows"),
		},
	}
}

// distanceCurves are those of the distance of samples and, dashed, of real rows.
func distanceCurves(records []record.Epoch) figure.Plot {
	samples := column(records, "pca64_fd", "samples")
	samples.Points = true
	floor := column(records, "pca64_fd_floor", "held-out rows")
	floor.Dashed, floor.Same = true, true
	return figure.Plot{
		Title: "Samples", XLabel: "steps", YLabel: "PCA-64 FD", LogY: true,
		Series: []figure.Series{samples, floor},
	}
}

// column is the series of a column of the records by steps.
func column(records []record.Epoch, of, name string) figure.Series {
	x, y := record.Curve(records, "step", of)
	return figure.Series{Name: name, X: x, Y: y, Line: true, Points: len(x) == 1}
}
