package trainer

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// The first record's numbers are those of the rows' particles before they move: the squared error
// of what the decoder makes of N(0, I), and the energy with it. They are computed here from the
// definition, but for the prior's bound, which is positive and, for an untrained network, a few
// nats for each of four dimensions.
func TestHeldOutByDefinition(t *testing.T) {
	c := smallRun()
	tr, err := New(context.Background(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var e record.Epoch
	if err := tr.measureHeldOut(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
	rows, dim := tr.heldOut.rows, tr.data.train.Shape().Dim()
	x, y := make([]float32, rows.Len()*dim), make([]float32, rows.Len()*dim)
	rows.Gather(x, data.Range(0, rows.Len()))
	tr.method.Generator(true).Decode(y, tr.heldOut.at.z, nil)
	square := 0.0
	for i := range x {
		square += float64(x[i]-y[i]) * float64(x[i]-y[i])
	}
	n, noise := float64(rows.Len()), c.ObsNoise
	if want := square / n / float64(dim); math.Abs(float64(*e.HeldOutMSE)/want-1) > 1e-5 {
		t.Errorf("mean squared error %v, expected %v", *e.HeldOutMSE, want)
	}
	nll := square/n/(2*noise*noise) + float64(dim)*math.Log(noise*math.Sqrt(2*math.Pi))
	if prior := float64(*e.HeldOutNats) - nll; !(prior > 0 && prior < 10*float64(c.Latent)) {
		t.Errorf("energy %v, of it the data %v", *e.HeldOutNats, nll)
	}
}

// Before the score network has learnt anything, the noise that a record draws makes no difference
// to its energy: what is known of its part is left out. What remains are the levels, of which the
// rows have one each: a standard deviation of about 0.9 nats, where the noise would make it 3.7.
func TestHeldOutSteady(t *testing.T) {
	c := smallRun()
	c.Holdout = 0.5
	tr, err := New(context.Background(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	const records = 20
	sum, squares := 0.0, 0.0
	for i := range records {
		var e record.Epoch
		tr.next.epoch = i // each record has its own noise
		if err := tr.measureHeldOut(t.Context(), &e); err != nil {
			t.Fatal(err)
		}
		sum += float64(*e.HeldOutNats) / records
		squares += math.Pow(float64(*e.HeldOutNats), 2) / records
	}
	if sd := math.Sqrt(squares - sum*sum); sd > 1.5 {
		t.Errorf("a standard deviation of %.2f nats", sd)
	} else {
		t.Logf("a standard deviation of %.2f nats", sd)
	}
}

// The held-out rows are not those of the training, and are followed in every record; what they are
// compared with falls, and so do they. Without held-out rows there are no such numbers.
func TestHeldOutFollows(t *testing.T) {
	c := smallRun()
	c.Holdout, c.Epochs, c.EvalSamples = 0.5, 12, 0
	records, err := run.ReadRecords(train(t, c))
	if err != nil || len(records) != c.Epochs {
		t.Fatal(len(records), err)
	}
	for _, e := range records {
		if e.HeldOutNats == nil || e.HeldOutMSE == nil || !e.HeldOutNats.Finite() {
			t.Fatalf("epoch %d: %v, %v", e.Epoch, e.HeldOutNats, e.HeldOutMSE)
		}
	}
	first, last := records[0], records[len(records)-1]
	if !(*last.HeldOutMSE < 0.9**first.HeldOutMSE) || !(*last.HeldOutNats < *first.HeldOutNats) {
		t.Errorf("from %v, %v to %v, %v", *first.HeldOutMSE, *first.HeldOutNats, *last.HeldOutMSE,
			*last.HeldOutNats)
	}
	c.Holdout, c.Epochs = 0, 1
	records, err = run.ReadRecords(train(t, c))
	if err != nil || records[0].HeldOutNats != nil || records[0].HeldOutMSE != nil {
		t.Errorf("without held-out rows: %+v, %v", records[0], err)
	}
}

// unfollowed is session of a run that follows no held-out rows, as in earlier versions.
func unfollowed(t *testing.T, dir string, c config.Config, stop int) {
	t.Helper()
	session(t, func(o ...Option) (*Trainer, error) {
		tr, err := New(context.Background(), c, dir, o...)
		if err == nil {
			tr.heldOut = heldOut{}
		}
		return tr, err
	}, stop)
}

// Following held-out rows changes no bit of the training, and a run that began without goes on.
func TestHeldOutChangesNothing(t *testing.T) {
	for _, name := range []config.Method{config.IPLD, config.VAE} {
		c := smallRun()
		if name == config.VAE {
			var err error
			if c, err = method.DefaultFor(name); err != nil {
				t.Fatal(err)
			}
			c.Data, c.Epochs, c.Holdout, c.EvalSamples = "digits", runEpochs, 0.9, 0
			c.DecoderWidths, c.EncoderWidths = []int{16}, []int{16}
		}
		without := t.TempDir()
		unfollowed(t, without, c, -1)
		resumed := t.TempDir()
		unfollowed(t, resumed, c, 5)
		resumeRun(t, resumed, c, -1)
		want := loadMethod(t, c, without)
		for kind, dir := range map[string]string{"followed": train(t, c), "resumed": resumed} {
			if !reflect.DeepEqual(loadMethod(t, c, dir), want) {
				t.Errorf("%s, %s: another state", name, kind)
			}
			records, err := run.ReadRecords(dir)
			if err != nil || records[len(records)-1].HeldOutNats == nil {
				t.Errorf("%s, %s: nothing held out in the last record, %v", name, kind, err)
			}
		}
	}
}

// loadMethod returns the tensors of the method in the newest checkpoint.
func loadMethod(t *testing.T, c config.Config, dir string) []checkpoint.Tensor {
	t.Helper()
	tr, err := New(context.Background(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	tensors := copies(tr.method.Tensors())
	if _, err := checkpoint.LoadSome(latest, tensors); err != nil {
		t.Fatal(err)
	}
	return tensors
}

// interruptedReport is a method whose run is interrupted when its third generator is made: that of
// the report after two epochs.
type interruptedReport struct {
	method.Method
	generators int
	interrupt  func()
}

func (m *interruptedReport) Generator(ema bool) *generate.Generator {
	if m.generators++; m.generators == 3 {
		m.interrupt()
	}
	return m.Method.Generator(ema)
}

// A run whose report is interrupted repeats that epoch's end, and follows the rows from where they
// were before it: its records and its state are those of a run that was not.
func TestHeldOutInterruptedReport(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tr, err := New(ctx, c, dir)
	if err != nil {
		t.Fatal(err)
	}
	tr.method = &interruptedReport{Method: tr.method, interrupt: cancel}
	if err := tr.Run(ctx); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(metricsOf(t, dir)); n != 1 {
		t.Fatalf("%d records before the report", n)
	}
	resumeRun(t, dir, c, -1)
	if !sameRun(t, dir, train(t, c)) {
		t.Error("other records, or another state")
	}
}
