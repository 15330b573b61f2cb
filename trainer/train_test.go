package trainer

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

// A training in memory ends in the state of a run on the same images, bit for bit.
func TestTrainInMemory(t *testing.T) {
	images, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []config.Method{config.IPLD, config.VAE, config.PGDDiffusion} {
		c, err := method.DefaultFor(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Data, c.Holdout, c.Epochs, c.Batch, c.BatchRepeats = "digits", 0, 2, 300, 2
		c.DecoderWidths = []int{16}
		if method.Reads(name, "encoder_widths") {
			c.EncoderWidths = []int{16}
		}
		if method.Reads(name, "score_width") {
			c.ScoreWidth = 16
		}
		c.EvalSamples = 0
		m, err := Train(t.Context(), c, images)
		if err != nil {
			t.Fatal(err)
		}
		latest, err := checkpoint.Latest(train(t, c))
		if err != nil {
			t.Fatal(err)
		}
		want := copies(m.method.Tensors())
		if _, err := checkpoint.LoadSome(latest, want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(m.method.Tensors(), want) {
			t.Errorf("%s: the state differs from that of a run", name)
		}
		checkModel(t, m, images.Len())
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Error(err)
		}
		if _, err := m.Sample(t.Context(), 1, 1); err == nil {
			t.Error("a closed model samples")
		}
	}
}

// copies returns copies of tensors, with zeros for the float32 values.
func copies(tensors []checkpoint.Tensor) []checkpoint.Tensor {
	all := slices.Clone(tensors)
	for i, x := range all {
		all[i].F32 = slices.Clone(x.F32)
		all[i].F64 = slices.Clone(x.F64)
		all[i].U32 = slices.Clone(x.U32)
		clear(all[i].F32)
	}
	return all
}

// checkModel checks the sizes of a model's latents and samples, and that samples depend on the
// seed.
func checkModel(t *testing.T, m *Model, images int) {
	t.Helper()
	z, err := m.Latents()
	x, decoded := m.Decode(z)
	if err := errors.Join(err, decoded); err != nil || len(z) != images*m.cfg.Latent ||
		len(x) != images*64 {
		t.Errorf("%d numbers in the latents of %d images, %v", len(z), images, err)
	}
	if _, err := m.Decode(z[1:]); err == nil {
		t.Error("a latent that is not whole: no error")
	}
	if _, err := m.Sample(t.Context(), -1, 1); err == nil {
		t.Error("-1 samples: no error")
	}
	first, err := m.Sample(t.Context(), 3, 1)
	if err != nil || len(first) != 3*64 {
		t.Errorf("%d numbers in 3 samples, %v", len(first), err)
	}
	again, _ := m.Sample(t.Context(), 3, 1)
	other, _ := m.Sample(t.Context(), 3, 2)
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Error("samples do not follow the seed")
	}
}

// A run warns of keys that were given and that its networks do not read.
func TestIdleKeys(t *testing.T) {
	c := smallRun()
	c.UNetBlocks = 2
	var warnings []string
	tr, err := New(t.Context(), c, t.TempDir(), Given([]string{"unet_blocks"}),
		warningsTo(&warnings))
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(warnings, []string{"without effect on these networks: unet_blocks"}) {
		t.Errorf("warnings: %q", warnings)
	}
}

// Convolutions train with their own defaults in the keys that were not given, or that nobody says
// were given and that have the default of MLPs.
func TestTrainGiven(t *testing.T) {
	digits, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := method.Default()
	c.Network, c.Epochs, c.DecoderChannels = config.Conv, 1, []int{4, 4, 4}
	c.Score, c.ScoreWidth, c.ScoreFeatures = config.ScoreMLP, 8, 8
	given := []string{"network", "epochs", "decoder_channels", "score", "score_width"}
	for want, options := range map[config.Start][][]Option{
		config.FromComponents: {nil, {Given(append(given, "score_features"))}},
		config.FromNormal:     {{Given(append(given, "cloud_init"))}},
	} {
		for _, o := range options {
			m, err := Train(t.Context(), c, data.Subset(digits, data.Range(0, 20)), o...)
			if err != nil {
				t.Fatal(err)
			}
			if m.cfg.CloudInit != want || m.cfg.Batch != 128 || m.cfg.Epochs != 1 {
				t.Errorf("%d options: cloud_init = %v, want %v; batches of %d, %d epochs",
					len(o), m.cfg.CloudInit, want, m.cfg.Batch, m.cfg.Epochs)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What cannot be trained is refused, and an ended context ends the training.
func TestTrainRefuses(t *testing.T) {
	c := method.Default()
	c.Epochs, c.DecoderWidths = 1, []int{8}
	table := data.Table{D: 2, X: make([]float32, 20)}
	for what, bad := range map[string]data.Table{
		"no images": {D: 2}, "no numbers": {}, "a part of a row": {D: 3, X: make([]float32, 20)},
	} {
		if _, err := Train(t.Context(), c, bad); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	other := c
	other.Method = config.VAE
	if _, err := Train(t.Context(), other, table); err == nil ||
		!strings.Contains(err.Error(), "step_size") {
		t.Errorf("a step size of a method without moves: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Train(over, c, table); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	c.Epochs = -1
	if _, err := Train(t.Context(), c, table); err == nil {
		t.Error("no epochs: no error")
	}
}

// Particles that blow up end a training in memory as they end a run. Step sizes of 5 without clip
// and anchor throw nearly all particles out within the first epoch.
func TestTrainDiverges(t *testing.T) {
	images, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := method.Default()
	c.Epochs, c.DecoderWidths, c.ScoreWidth = 2, []int{16}, 32
	c.StepSize, c.StepSizeEnd, c.DriftClip, c.ScaleAnchor = 5, 5, 0, 0
	c.Likelihood = config.GaussianLikelihood // the drift of a clipped decoder is bounded
	_, err = Train(t.Context(), c, images)
	var fault *method.Fault
	if !errors.Is(err, ErrDiverged) || !errors.As(err, &fault) {
		t.Fatalf("%v, want %v with its place", err, ErrDiverged)
	}
	if fault.Step < 1 || fault.Step > 2*c.Epochs*images.Len()/c.Batch {
		t.Errorf("step %d", fault.Step)
	}
}

// Hooks see every step and epoch of a training in memory.
func TestTrainCallsHooks(t *testing.T) {
	images, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := method.Default()
	c.Epochs, c.Batch, c.DecoderWidths, c.ScoreWidth = 3, 600, []int{16}, 32
	steps, epochs, last := 0, 0, time.Now().Truncate(time.Millisecond)
	m, err := Train(t.Context(), c, images, WithHook(Hook{
		OnStep: func(record.Progress) { steps++ },
		OnEpoch: func(e record.Epoch) {
			if e.Time.Before(last) || e.Time.After(time.Now()) || e.Time.Location() != time.UTC {
				t.Errorf("epoch %d at %v, after %v", e.Epoch, e.Time, last)
			}
			epochs, last = e.Epoch, e.Time
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want := c.Epochs * ((images.Len() + c.Batch - 1) / c.Batch)
	if steps != want || epochs != c.Epochs {
		t.Errorf("%d steps, %d epochs, want %d, %d", steps, epochs, want, c.Epochs)
	}
}
