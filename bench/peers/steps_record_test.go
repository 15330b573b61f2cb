package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
)

// TestOperations compares with weights counted by hand.
func TestOperations(t *testing.T) {
	const small = 64*256 + 256*256 + 32*256 + 6*256*256 + 256*32 + 32*256 + 256*512 + 512*784
	const large = 64*512 + 512*512 + 64*512 + 6*512*512 + 512*64 + 64*512 + 512*1024 + 1024*784
	const score = 64*256 + 256*256 + 32*256 + 6*256*256 + 256*32
	// The decoder from 8 x 8 x 4 with 64, 64 and 32 channels; the U-Net of 64 and 128 channels with
	// an embedding of 256. A residual block has two convolutions.
	const decoder = 9*64*(4*64+2*64*64) + 64*64*256 + 9*256*2*64*64 + 256*64*128 +
		9*1024*(2*32*32+32*3)
	const embeddings = 64*256 + 256*256 + 2*64*256 + 3*2*128*256 + 2*64*256
	const unet = embeddings + 9*64*(4*64+2*64*64) + 16*4*64*128 + 9*16*3*2*128*128 +
		16*128*4*128 + 16*128*256 + 9*64*(128*64+64*64) + 64*128*64 + 9*64*64*4
	const norms = 2 * (4*64 + 3*32 + 4*64 + 8*128) // scale and shift, once for all pixels
	for i, want := range []struct {
		name       string
		rows       int
		operations float64
	}{
		{"S", 1024, 6 * 1024 * small}, {"L", 1024, 6 * 1024 * large}, {"D", 500, 6 * 500 * small},
		{"C", 128, 6 * 128 * (decoder + unet + norms)},
		{sampling, 1000, 2 * 1000 * (49*score + small)},
	} {
		w := works()[i]
		if w.name != want.name || w.rows() != want.rows || w.operations() != want.operations {
			t.Errorf("%s: %d rows, %v operations, want %+v",
				w.name, w.rows(), w.operations(), want)
		}
	}
}

func TestSupported(t *testing.T) {
	for _, w := range works() {
		if err := supported(w.config); err != nil {
			t.Error(err)
		}
	}
	for key, change := range map[string]func(o *config.Options){
		"dynamics":        func(o *config.Options) { o.Dynamics = "overdamped" },
		"inner_steps":     func(o *config.Options) { o.InnerSteps = 2 },
		"score_draws":     func(o *config.Options) { o.ScoreDraws = 2 },
		"scale_anchor":    func(o *config.Options) { o.ScaleAnchor = 1 },
		"drift_clip":      func(o *config.Options) { o.DriftClip = 0 },
		"catch_up":        func(o *config.Options) { o.CatchUp = 2 },
		"prior_warmup":    func(o *config.Options) { o.PriorWarmup = 1 },
		"prior_drift":     func(o *config.Options) { o.PriorDrift = "score" },
		"control_variate": func(o *config.Options) { o.ControlVariate = true },
		"optimizer":       func(o *config.Options) { o.Optimizer = "sgd" },
		"decoder_decay":   func(o *config.Options) { o.DecoderDecay = 1 },
		"ema":             func(o *config.Options) { o.EMA = 0 },
		"condition":       func(o *config.Options) { o.Condition = config.OfPrior },
		"score":           func(o *config.Options) { o.Score = config.ScoreTransformer },
		"particles":       func(o *config.Options) { o.Particles = 2 },
	} {
		c := convolutions()
		change(&c.Options)
		if err := supported(c); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: error %v", key, err)
		}
	}
}

// tiny is a very small work on the embedded digits.
func tiny(t *testing.T, images int) (work, data.Dataset, string) {
	t.Helper()
	c := defaults()
	c.Latent, c.DecoderWidths = 3, []int{5, 7}
	c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 6, 1, 4
	c.Batch, c.Particles = 20, 2
	digits, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return work{
		name: "tiny", config: c, picture: digits.Shape(), images: images, clip: 0.006,
	}, digits, t.TempDir()
}

// tinyConvolutions is a very small work of shape C on the embedded digits.
func tinyConvolutions(t *testing.T) (work, data.Dataset, string) {
	t.Helper()
	w, digits, dir := tiny(t, 0)
	c, err := method.DefaultOn(config.IPLD, w.picture)
	c.Network, c.Decoder, c.LatentShape = config.Conv, config.Conv, []int{4, 4, 2}
	c.Score, c.DecoderChannels, c.UNetChannels = config.ScoreUNet, []int{4, 4}, []int{4, 8}
	c.Latent, c.ScoreWidth, c.ScoreFeatures, c.Batch = 32, 6, 4, 20
	c.CloudInit, c.ScaleAnchor, c.DecoderDecay = config.FromNormal, 0, 0
	if err == nil {
		err = supported(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.config, w.clip = c, 0.06
	return w, digits, dir
}

func TestRecord(t *testing.T) {
	w, digits, dir := tiny(t, 0)
	r, err := w.record(dir, digits)
	if err != nil {
		t.Fatal(err)
	}
	for _, clip := range []float64{1, 1e-9} {
		none := w
		none.clip = clip
		if _, err := none.record(t.TempDir(), digits); err == nil {
			t.Errorf("no error although %v clips no row, or all", clip)
		}
	}
	out := r.params["prior"][len(r.params["prior"])-2]
	params := r.start["prior/params"][out.Offset : out.Offset+out.Len]
	if out.Name != "out.weight" || slices.Contains(params, 0) {
		t.Errorf("%s starts with a zero", out.Name)
	}
	for file, numbers := range map[string]int{
		"tiny.start": len(r.start["decoder/params"]) + len(r.start["prior/params"]) +
			2*digits.Len()*2*3,
		"tiny.noise": 3 * w.rows() * (1 + 3 + 3),
	} {
		if x, err := readFloats(filepath.Join(dir, file)); err != nil || len(x) != numbers {
			t.Errorf("%s: %d numbers, %v, want %d", file, len(x), err, numbers)
		}
	}
	var s spec
	text, err := os.ReadFile(filepath.Join(dir, "tiny.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s); err != nil || s.Batch != 20 ||
		s.Pixels != digits.Shape().Dim() || len(s.Steps) != 3 || s.Repeats != 4 {
		t.Errorf("description %s, %v", text, err)
	}
	levels, err := readFloats(filepath.Join(dir, "tiny.noise"))
	if err != nil {
		t.Fatal(err)
	}
	levels = slices.Sorted(slices.Values(levels[:w.rows()]))
	for i, l := range levels { // one in each stratum
		if x := float64(l+10) / 20 * 40; !(x > float64(i)-1e-4 && x < float64(i)+1+1e-4) {
			t.Errorf("level %d is %v", i, l)
		}
	}
}

// TestCompareSteps changes each of the arrays and sums that are compared.
func TestCompareSteps(t *testing.T) {
	for name, shape := range map[string]func(t *testing.T) (work, data.Dataset, string){
		"mlp":  func(t *testing.T) (work, data.Dataset, string) { return tiny(t, 0) },
		"conv": tinyConvolutions,
	} {
		t.Run(name, func(t *testing.T) {
			w, digits, dir := shape(t)
			r, err := w.record(dir, digits)
			if err != nil {
				t.Fatal(err)
			}
			changeEach(t, r, "float32", 0.1, 1e-4)
			changeEach(t, r, "bf16-jit", 0.6, 2e-2)
		})
	}
}

// changeEach changes every array and loss by a share of its size or movement, and the clipped rows.
func changeEach(t *testing.T, r *recording, in way, share float32, losses float64) {
	sums, out := r.sums, r.concatenated(r.result)
	if err := r.compare(in, sums, out); err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, c := range r.comparisons(r.tolerances(in)) {
		bad := slices.Clone(out)
		n := len(r.arrays[c.name])
		for i := range n {
			from := float32(0)
			if c.origin != nil {
				from = c.origin[i]
			}
			bad[at+i] += share * (bad[at+i] - from)
		}
		err := r.compare(in, sums, bad)
		if err == nil || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: error %v", c.name, err)
		}
		at += n
	}
	for i := range sums {
		bad := slices.Clone(sums)
		bad[i] += 2 + losses*bad[i]
		if err := r.compare(in, bad, out); err == nil {
			t.Errorf("sum %d: no error", i)
		}
	}
	for name, bad := range map[string][]float32{
		"short": out[1:], "long": append(slices.Clone(out), 0),
	} {
		if err := r.compare(in, sums, bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParse(t *testing.T) {
	r := &recording{result: result{sums: []float64{1, 2, 3}}}
	if sums, err := r.parse("ok 4 5e1 6"); err != nil || !slices.Equal(sums, []float64{4, 50, 6}) {
		t.Errorf("sums %v, %v", sums, err)
	}
	for _, answer := range []string{"", "ok 1", "ok a b c", "no 4 5 6"} {
		if _, err := r.parse(answer); err == nil {
			t.Errorf("%q: no error", answer)
		}
	}
}

func TestCompareSampling(t *testing.T) {
	w, digits, dir := tiny(t, 9)
	r, err := w.record(dir, digits)
	if err != nil {
		t.Fatal(err)
	}
	out := r.concatenated(r.result)
	if want := 9 * (3 + digits.Shape().Dim()); len(out) != want {
		t.Fatalf("%d numbers, want %d", len(out), want)
	}
	if err := r.compare("float32", nil, out); err != nil {
		t.Error(err)
	}
	for _, in := range plumeWays("native", precisions) {
		if err := r.checkPlume(in, digits); err != nil {
			t.Error(err)
		}
	}
	for _, i := range []int{0, len(out) - 1} {
		bad := slices.Clone(out)
		bad[i] += 0.01
		if err := r.compare("float32", nil, bad); err == nil {
			t.Errorf("number %d: no error", i)
		}
	}
	if len(r.arrays) != 2 {
		t.Errorf("recorded %d arrays, want latents and images", len(r.arrays))
	}
}

// TestFelt: places without gradients do not count, unless they are most.
func TestFelt(t *testing.T) {
	for _, c := range []struct {
		squares []float32
		want    []int
	}{
		{[]float32{4, 1e-12, 1, 0.01, 2e-9}, []int{0, 2, 3}},
		{[]float32{4, 1e-12, 1e-12}, []int{0, 1, 2}},
		{[]float32{0, 0}, []int{0, 1}},
	} {
		if at := felt(c.squares); !slices.Equal(at, c.want) {
			t.Errorf("%v: %v, want %v", c.squares, at, c.want)
		}
	}
}

func TestDeviation(t *testing.T) {
	rms, largest := deviation([]float32{2, 4}, []float32{2, 1}, []float32{-1, -3})
	if want := 3 / 5.0; rms != want { // 3 of |(3, 4)|
		t.Errorf("rms = %v, want %v", rms, want)
	}
	if largest < 0.848 || largest > 0.849 { // 3 of sqrt(25/2)
		t.Errorf("largest = %v, want 0.8485", largest)
	}
	if rms, _ := deviation([]float32{1}, []float32{0}, nil); rms <= 1e9 {
		t.Errorf("a deviation from nothing is %v", rms)
	}
}
