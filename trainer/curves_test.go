package trainer

import (
	"context"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// curvesOf is the height of the picture of a run's learning curves; 0 if there is none.
func curvesOf(t *testing.T, dir string) int {
	t.Helper()
	f, err := os.Open(run.CurvesPath(dir))
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return picture.Bounds().Dy()
}

// A run with reports has its learning curves, up to the last record, however it ended; one without
// has none. The distance of the held-out images is in each record that has that of samples.
func TestCurves(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	var tr *Trainer
	end := WithHook(Hook{OnEnd: func(s Summary) {
		if e := tr.reports.last; e.Step != runSteps || tr.reports.curves.step > e.Step {
			t.Errorf("the curves end at step %d of %d", tr.reports.curves.step, e.Step)
		}
		if s.Final.PCA64Floor == nil || float64(*s.Final.PCA64Floor) != s.RealFloor {
			t.Errorf("floor %v of the record, %v", s.Final.PCA64Floor, s.RealFloor)
		}
	}})
	tr, err := New(context.Background(), c, dir, end)
	if err != nil {
		t.Fatal(err)
	}
	tr.reports.curves = curves{drawn: time.Now(), took: time.Hour} // none before the end
	if err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if both := curvesOf(t, dir); both != 2*605 {
		t.Errorf("%d lines of pixels, expected two diagrams of 605", both)
	}
	records, err := run.ReadRecords(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range records {
		if (e.PCA64FD == nil) != (e.PCA64Floor == nil) {
			t.Errorf("epoch %d: %v, %v", e.Epoch, e.PCA64FD, e.PCA64Floor)
		}
	}
	c.EvalSamples = 0
	if n := curvesOf(t, train(t, c)); n != 0 {
		t.Errorf("curves of %d lines without reports", n)
	}
}

// The record under way is drawn too, and in the place of what was recorded at its step or later.
func TestCurvesOfTheRecordUnderWay(t *testing.T) {
	tr := &Trainer{writer: run.Writer{Dir: t.TempDir()}}
	text := `{"step":5,"recon_mse":1}` + "\n" + `{"step":9,"recon_mse":null}` + "\n"
	path := filepath.Join(tr.writer.Dir, "metrics.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	fd := record.Number(3)
	records, err := tr.withRecord(record.Epoch{Step: 9, PCA64FD: &fd})
	if err != nil || len(records) != 2 || records[0].Step != 5 || records[1].PCA64FD != &fd {
		t.Errorf("%+v, %v", records, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if records, err := tr.withRecord(record.Epoch{Step: 9}); err != nil || len(records) != 1 {
		t.Errorf("without a file: %+v, %v", records, err)
	}
}
