package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/npy"
)

// tiny trains a small model of the digits in a moment.
func tiny(t *testing.T, change func(c *config.Config)) (runDir string) {
	t.Helper()
	c := method.Default()
	c.Data, c.Epochs, c.Latent, c.DecoderWidths, c.Threads = "digits", 20, 8, []int{32}, 1
	c.EncoderWidths = []int{16}
	c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 16, 1, 8
	c.Batch, c.BatchRepeats, c.Solver, c.SolverSteps, c.EvalSamples = 100, 4, "ddim", 5, 100
	if change != nil {
		change(&c)
	}
	runDir = t.TempDir()
	run, err := trainer.New(context.Background(), c, runDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(run.Run(t.Context()), run.Close()); err != nil {
		t.Fatal(err)
	}
	return runDir
}

// few are options of an evaluation that takes a moment.
var few = Options{
	Samples: 150, Solver: "ddim", Steps: 5, Seed: 1, Threads: 2,
	Images: 60, Moves: 60,
	LikelihoodImages: 3, LikelihoodSamples: 60, LikelihoodDraws: 4,
}

func mustRun(t *testing.T, dir string, o Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func value(t *testing.T, r *Report, key string) Metric {
	t.Helper()
	m, ok := r.Metric(key)
	if !ok || !m.Value.Finite() {
		t.Fatalf("no %s in %+v", key, r.Metrics)
	}
	return m
}

func TestEvaluation(t *testing.T) {
	dir := tiny(t, nil)
	r := mustRun(t, dir, few)
	keys := []string{
		"pca64_fd", "pca64_kid", "pca64_mmd", "ffd", "classifier_kid", "sliced_w2",
		"precision", "recall", "density", "coverage", "nearest_rms", "nearer_1",
		"recon_mse", "recon_mse_mean", "energy", "prior_energy",
		"log_p", "bits_per_dim", "ess", "ess_below_10",
	}
	for i, m := range r.Metrics {
		if i >= len(keys) || m.Key != keys[i] || m.Name == "" || m.Note == "" ||
			!slices.Contains(Groups(), m.Group) {
			t.Errorf("metric %d: %+v, expected the keys %v", i, m, keys)
		}
		if m.Low > m.Value || m.High < m.Value {
			t.Errorf("%s: %v is not in its interval %v .. %v", m.Key, m.Value, m.Low, m.High)
		}
	}
	for _, key := range []string{"pca64_fd", "ffd", "sliced_w2", "pca64_mmd"} {
		// After twenty epochs samples are far from real.
		if m := value(t, r, key); !(m.Value > m.Floor) {
			t.Errorf("%s: %v, floor %v", key, m.Value, m.Floor)
		}
	}
	c := r.Classifier
	if c == nil || c.Accuracy < 0.9 || len(c.Hash) != 64 || c.Images != 180 ||
		!strings.Contains(value(t, r, "ffd").Note, c.Hash[:12]) {
		t.Errorf("classifier %+v", c)
	}
	// The best reconstruction that ignores the image, the mean of all, has the pixels' variance.
	if m := value(t, r, "recon_mse"); m.Value <= 0 || float64(m.Value) > pixelVariance(t, dir)/1.5 {
		t.Errorf("reconstruction MSE %v, variance of the pixels %v", m.Value, pixelVariance(t, dir))
	}
	ofMean, ofSamples := value(t, r, "recon_mse_mean").Value, value(t, r, "recon_mse").Value
	if ofMean > ofSamples || ofMean < ofSamples/2 {
		t.Errorf("MSE of the posterior mean %v, of samples %v", ofMean, ofSamples)
	}
	// The energy exceeds -log p(x) by the entropy of the posterior, some nats per dimension.
	logP, energy := value(t, r, "log_p"), value(t, r, "energy")
	if d := float64(energy.Value + logP.Value); math.Abs(d) > 60 {
		t.Errorf("log p = %v and energy %v", logP.Value, energy.Value)
	}
	got, want := value(t, r, "bits_per_dim").Value, -logP.Value/64/math.Ln2
	if math.Abs(float64(got-want)) > 1e-9 {
		t.Errorf("%v bits/dim, expected %v", got, want)
	}

	again := few
	again.Threads = 1
	if other := mustRun(t, dir, again); text(t, other) != text(t, r) {
		t.Errorf("1 thread:\n%s\n2 threads:\n%s", text(t, other), text(t, r))
	}
}

// text is the report as JSON, without the time that it took.
func text(t *testing.T, r *Report) string {
	t.Helper()
	plain := *r
	plain.Seconds = 0
	out, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func pixelVariance(t *testing.T, runDir string) float64 {
	t.Helper()
	s, err := open(t.Context(), runDir, Options{Threads: 1}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	x := gather(s.own.Held, data.Range(0, s.own.Held.Len()), 64)
	var variance float64
	for j := range 64 {
		var sum, squares float64
		for i := range s.own.Held.Len() {
			v := float64(x[i*64+j])
			sum, squares = sum+v, squares+v*v
		}
		n := float64(s.own.Held.Len())
		variance += (squares/n - sum*sum/n/n) / 64
	}
	return variance
}

// Only the requested groups are measured and drawn. Methods with an encoder report its
// reconstruction, too.
func TestParts(t *testing.T) {
	dir := tiny(t, func(c *config.Config) { c.Method = "vae" })
	o := few
	o.Which, o.Pictures = []string{Reconstruction}, filepath.Join(t.TempDir(), "pictures")
	r := mustRun(t, dir, o)
	encoder, inferred := value(t, r, "encoder_mse").Value, value(t, r, "recon_mse_mean").Value
	if len(r.Metrics) != 5 || encoder < inferred/1.5 {
		t.Errorf("%+v", r.Metrics)
	}
	want := []string{
		filepath.Join(o.Pictures, "samples.png"),
		filepath.Join(o.Pictures, "reconstructions.png"),
	}
	if !slices.Equal(r.Pictures, want) || r.Classifier != nil {
		t.Errorf("pictures %v, classifier %v", r.Pictures, r.Classifier)
	}
	for _, path := range want {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// Without held-out images and labels there is less to measure, and the report says so.
func TestWhatIsMissing(t *testing.T) {
	x := make([]float32, 300*9)
	kernel.Uniform(x, kernel.Key{Seed: 1}, 0)
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := npy.WriteFile(path, x, 300, 3, 3, 1); err != nil {
		t.Fatal(err)
	}
	dir := tiny(t, func(c *config.Config) { c.Data, c.Holdout = path, 0 })
	r := mustRun(t, dir, few)
	for _, key := range []string{"ffd", "nearest_rms", "recon_mse", "log_p"} {
		if m, ok := r.Metric(key); ok {
			t.Errorf("%+v", m)
		}
	}
	if m := value(t, r, "precision"); len(r.Notes) != 4 ||
		!strings.Contains(m.Note, "principal components") {
		t.Errorf("notes %q, %+v", r.Notes, m)
	}
	large := few
	large.Samples, large.Which = 200, []string{PCA}
	if m := value(t, mustRun(t, dir, large), "pca64_fd"); m.Floor.Finite() ||
		!strings.Contains(m.Note, "too few real images") {
		t.Errorf("%+v", m)
	}

	x[0]++ // the file now holds other images
	if err := npy.WriteFile(path, x, 300, 3, 3, 1); err != nil {
		t.Fatal(err)
	}
	_, err := Run(t.Context(), dir, few)
	if err == nil || !strings.Contains(err.Error(), "fingerprint") {
		t.Errorf("%v, expected other fingerprints", err)
	}
}

// Metrics for which samples, held-out images or labels do not suffice are left out; the others are
// measured.
func TestWhatIsUnfit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x-images-idx3-ubyte")
	const n = 60
	file := append([]byte{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 3, 0, 0, 0, 3}, make([]byte, 9*n)...)
	for i := range 9 * n {
		file[16+i] = byte(i * i % 251)
	}
	labels := append([]byte{0, 0, 8, 1, 0, 0, 0, n}, make([]byte, n)...) // all of one class
	for name, content := range map[string][]byte{
		path: file, strings.Replace(path, "images-idx3", "labels-idx1", 1): labels,
	} {
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := tiny(t, func(c *config.Config) {
		c.Data, c.Holdout, c.Epochs = filepath.Dir(path), 1.0/n, 1
	})
	o := few
	o.Samples = 2
	r := mustRun(t, dir, o)
	for key, measured := range map[string]bool{
		"pca64_fd": true, "pca64_kid": false, "pca64_mmd": false, "sliced_w2": true, "ffd": false,
		"recon_mse": false, "log_p": false, "nearest_rms": false,
	} {
		if m, ok := r.Metric(key); ok != measured {
			t.Errorf("%s: %+v, expected that it is measured: %v", key, m, measured)
		}
	}
	notes := strings.Join(r.Notes, "\n")
	for _, want := range []string{
		"no PCA-64 KID: metric: KID: the first set has 2 rows",
		"no FFD: classify: 60 labelled images of 1 classes",
		"no memorisation: it needs 2 or more images held out of training, there are 1 ",
		"no precision and recall",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %s, expected %q", notes, want)
		}
	}
}

// The default solver is that of the run's reports, with its number of steps.
func TestSolverOfTheReports(t *testing.T) {
	dir := tiny(t, nil)
	named, err := Run(t.Context(), dir, Options{
		Which: []string{Precision}, Samples: 50, Solver: "ddim", Steps: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	own, err := Run(t.Context(), dir, Options{Which: []string{Precision}, Samples: 50})
	if err != nil || own.Solver != "ddim" || own.Steps != 5 {
		t.Fatalf("%v, %+v", err, own)
	}
	for i, m := range own.Metrics {
		if m.Value != named.Metrics[i].Value {
			t.Errorf("%s: %v, with the solver named %v", m.Name, m.Value, named.Metrics[i].Value)
		}
	}
}

func TestRunRefusals(t *testing.T) {
	dir := tiny(t, nil)
	for want, o := range map[string]Options{
		`did you mean "likelihood"?`: {Which: []string{"likelyhood"}},
		"samples is 1; expected":     {Samples: 1},
		`"ancestor"`:                 {Solver: "ancestor"},
	} {
		if _, err := Run(t.Context(), dir, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %s", err, want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Run(ended, dir, few); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := Run(t.Context(), t.TempDir(), few); err == nil {
		t.Error("no error for a directory without a run")
	}
}
