package method

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// What is left to the data follows from their shape; what was given stays.
func TestResolve(t *testing.T) {
	for _, c := range []struct {
		picture data.Shape
		set     string // key=value, with spaces between them
		want    string // the same, of the result
	}{
		{
			data.Shape{H: 28, W: 28, C: 1}, "",
			"network=mlp decoder=mlp score=mlp latent=32 batch=500",
		},
		{data.Shape{H: 1, W: 64, C: 1}, "", "network=mlp"},
		{
			data.Shape{H: 32, W: 32, C: 1}, "",
			"network=conv decoder=conv score=unet latent_shape=8,8,4",
		},
		{data.Shape{H: 33, W: 32, C: 3}, "", "network=mlp latent_shape="},
		{
			data.Shape{H: 32, W: 32, C: 3}, "",
			"network=conv latent_shape=8,8,4 latent=256 decoder_channels=64,64,32 " +
				"unet_channels=64,128 encoder=auto encoder_channels= cloud_init=pca batch=128",
		},
		{
			data.Shape{H: 128, W: 64, C: 3}, "",
			"latent_shape=16,8,4 decoder_channels=64,64,64,32 unet_channels=64,128,128",
		},
		{data.Shape{H: 28, W: 28, C: 3}, "", "latent_shape=7,7,4 unet_channels=64"},
		{
			data.Shape{H: 16, W: 16, C: 3},
			"method=vae+diffusion decoder_channels=8,8 latent_shape=8,8,2",
			"encoder=conv encoder_channels=8,8 latent=128 cloud_init=normal",
		},
		{
			data.Shape{H: 32, W: 32, C: 3}, "decoder=mlp batch=200",
			"network=conv decoder=mlp score=mlp latent_shape= latent=32 batch=200",
		},
		{
			data.Shape{H: 8, W: 8, C: 1}, "network=conv batch=500 latent=16",
			"decoder=conv latent_shape=2,2,4 latent=16 batch=500 cloud_init=pca",
		},
		{data.Shape{H: 32, W: 32, C: 3}, "method=vae", "encoder=conv score=auto unet_channels="},
		{data.Shape{H: 28, W: 28, C: 1}, "step_size=0.007", "step_size_end=0.001167"},
		{data.Shape{H: 28, W: 28, C: 1}, "step_size_end=0.01", "step_size=0.006"},
		{data.Shape{H: 32, W: 32, C: 3}, "step_size=0.0003", "step_size_end=5e-05"},
		{data.Shape{H: 32, W: 32, C: 3}, "step_size=0.0003 step_size_end=0.001",
			"step_size=0.0003 step_size_end=0.001"},
		{data.Shape{H: 28, W: 28, C: 1}, "method=shortrun step_size=0.02", "step_size_end=0.02"},
	} {
		wantResolved(t, c.picture, c.set, c.want)
	}
}

// wantResolved checks what a configuration becomes on pictures of a shape, where keys are set.
func wantResolved(t *testing.T, picture data.Shape, set, want string) {
	t.Helper()
	base, given := asked(t, set)
	isGiven := func(key string) bool { return slices.Contains(given, key) }
	got, err := Resolve(base, picture, isGiven)
	if err != nil {
		t.Errorf("%v, %q: %v", picture, set, err)
		return
	}
	for _, field := range strings.Fields(want) {
		key, value, _ := strings.Cut(field, "=")
		if v := got.Key(key).String(); v != value {
			t.Errorf("%v, %q: %s is %q, expected %q", picture, set, key, v, value)
		}
	}
	again, err := Resolve(got, picture, func(string) bool { return true })
	if changed := got.Changed(again); err != nil || len(changed) > 0 {
		t.Errorf("%v, %q: resolved again, %v differ: %v", picture, set, changed, err)
	}
}

// asked is a method's default configuration with some keys set, and their names.
func asked(t *testing.T, set string) (c config.Config, given []string) {
	t.Helper()
	c = Default()
	for _, field := range strings.Fields(set) {
		if name, ok := strings.CutPrefix(field, "method="); ok {
			var err error
			if c, err = DefaultFor(config.Method(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, field := range strings.Fields(set) {
		key, value, _ := strings.Cut(field, "=")
		if err := c.Key(key).Set(value); err != nil {
			t.Fatal(err)
		}
		given = append(given, key)
	}
	return c, given
}

// If nobody says which keys were given, those with the method's defaults were not, unless the
// configuration names its networks already.
func TestResolveUnlike(t *testing.T) {
	picture := data.Shape{H: 32, W: 32, C: 3}
	mlp := Default().On(data.Pictures, "")
	mlp.Epochs = 3
	conv, err := Resolve(mlp, picture, nil)
	if err != nil {
		t.Fatal(err)
	}
	of, err := DefaultOn(mlp.Method, picture)
	if changed := of.Changed(conv); err != nil || !slices.Equal(changed, []string{"epochs"}) {
		t.Errorf("%v differ from the defaults of convolutions: %v", changed, err)
	}
	if again := Resolved(mlp, conv, nil); len(again.Changed(conv)) > 0 {
		t.Errorf("resumed, %v differ", again.Changed(conv))
	}
	mlp.Friction = 0.7
	if again := Resolved(mlp, conv, nil); !slices.Equal(again.Changed(conv), []string{"friction"}) {
		t.Errorf("resumed with another friction, %v differ", again.Changed(conv))
	}
	conv.StepSize = Default().StepSize
	kept, err := Resolve(conv, picture, nil)
	if changed := kept.Changed(conv); err != nil || len(changed) > 0 {
		t.Errorf("%v of a configuration that names its networks changed: %v", changed, err)
	}
	chosen := Default()
	chosen.Decoder = config.Conv
	if c, err := Resolve(chosen, picture, nil); err != nil || c.StepSize != of.StepSize {
		t.Errorf("a decoder without its latents: step size %v, want %v: %v", c.StepSize,
			of.StepSize, err)
	}
}

// Sizes that do not fit are refused, with the place and what would fit.
func TestResolveRefuses(t *testing.T) {
	picture := data.Shape{H: 32, W: 32, C: 3}
	for set, want := range map[string]string{
		"latent_shape=7,8,4":                  "halved the same number of times",
		"latent_shape=64,64,4":                "halved the same number of times",
		"latent_shape=8,8,4 decoder=mlp":      "the latents of an MLP are vectors",
		"decoder_channels=64,32":              "expected 3 numbers",
		"latent=64":                           "expected 256, the numbers of latent_shape",
		"decoder=mlp score=unet":              "mlp, since the latents are vectors",
		"method=vae decoder=mlp encoder=conv": "mlp, since the latents of an MLP are vectors",
		"method=vae encoder_channels=8":       "encoder_channels = 8: expected 3 numbers",
		"unet_channels=64,126":                "score.middle.attention: 4 heads",
		"score=transformer score_heads=3":     "score.block0.attention: 3 heads",
		"score=transformer score_heads=0":     "score.block0.attention: 0 heads",
		"decoder=mlp score=transformer":       "mlp, since the latents are vectors",
		"unet_channels=64,128,128,128,128":    "score.down4.merge",
	} {
		c, _ := asked(t, set)
		c, err := Resolve(c, picture, nil)
		if err == nil {
			_, err = Describe(c, picture)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error %v does not say %q", set, err, want)
		}
	}
	for set, want := range map[string]string{
		"latent=64 latent_shape=8,8,4": "latent = 64: expected 256, the numbers of latent_shape",
		"latent=32 decoder=conv":       "latent = 32: expected 256",
		"latent_shape=7,8,4 latent=224 decoder_channels=64,32": "--latent-shape 8,8,4 " +
			"--latent 256 " +
			"--decoder-channels 64,64,32",
		"decoder_channels=64,32":                         "--decoder-channels 64,64,32",
		"unet_channels=64,126":                           "unet_channels = 64, 126, score_heads",
		"decoder_channels=64,64,32 latent_shape=16,16,4": "latents of 16 x 16 x 4 are doubled once",
	} {
		c, given := asked(t, set)
		c, err := Resolve(c, picture, func(key string) bool { return slices.Contains(given, key) })
		if err == nil {
			_, err = Describe(c, picture)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error %v does not say %q", set, err, want)
		}
	}
	c := Default()
	c.Network, c.LatentShape = config.Conv, []int{0, 1, 1} // which no number of halvings reaches
	if _, err := Resolve(c, picture, nil); err == nil ||
		!strings.Contains(err.Error(), "latent_shape = 0, 1, 1") {
		t.Errorf("latents of no pixels: %v", err)
	}
	for _, r := range []struct {
		set   string
		width int
		want  string
	}{
		{"as=rows decoder=conv", 64, "the numbers of a row have no order"},
		{"as=signals decoder=conv", 99, "signals of 1 x 99 cannot be halved; or crop them with " +
			"--length 96"},
		{"as=signals latent_shape=1,9,4", 64, "the 64 samples of the signals, halved some times: " +
			"--latent-shape 1,4,4"},
		{"as=signals latent_shape=2,16,4", 64, "1, and the 64 samples"},
	} {
		c, _ := asked(t, r.set)
		_, err := Resolve(c, data.Shape{H: 1, W: r.width, C: 1}, nil)
		if err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: the error %v does not say %q", r.set, err, r.want)
		}
	}
	c, _ = asked(t, "decoder=conv")
	if _, err := Resolve(c, data.Shape{H: 5, W: 8, C: 1}, nil); err == nil ||
		!strings.Contains(err.Error(), "cannot be halved") {
		t.Errorf("pictures of 5 x 8: %v", err)
	}
}

// Pictures that cannot be halved, or not often enough, are warned of, with sizes that can.
func TestAdvice(t *testing.T) {
	for _, c := range []struct {
		h, w, c   int
		set, want string
	}{
		{33, 32, 3, "", "an even height and width, not 33 x 32; scale them with --size 32 or 40"},
		{45, 45, 1, "", "--size 40 or 48"},
		{33, 32, 3, "network=mlp", ""},
		{29, 29, 1, "", ""}, // an MLP in any case
		{28, 28, 3, "", ""},
		{32, 32, 3, "", ""},
		{64, 48, 3, "", ""},
		{1, 99, 3, "", ""},
		{1, 99, 3, "as=signals", "an even number of samples, not 99; crop them with --length 96"},
		{1, 96, 3, "as=signals", ""},
		{1, 31, 3, "as=signals", ""}, // an MLP in any case
		{1, 8192, 1, "as=signals", ""},
		{1, 16000, 1, "as=signals", "halved only 7 times: the latents of 125 samples are large"},
		{1, 16000, 1, "as=signals", "crop them with --length 15872"},
		{100, 100, 3, "", "halved only twice: the latents of 25 x 25 pixels"},
		{100, 100, 3, "", "--size 96 or 112"},
		{66, 66, 3, "", "halved only once: the latents of 33 x 33 pixels"},
		{66, 66, 3, "", "--size 64 or 80"},
		{60, 60, 3, "", "--size 56 or 64"},
		{66, 66, 3, "latent_shape=33,33,2", ""},
		{66, 66, 3, "network=mlp", ""},
	} {
		picture := data.Shape{H: c.h, W: c.w, C: c.c}
		base, _ := asked(t, c.set)
		resolved, err := Resolve(base, picture, nil)
		if err != nil {
			t.Fatal(err)
		}
		advice := Advice(base, resolved, picture)
		if c.want == "" && advice != "" || !strings.Contains(advice, c.want) {
			t.Errorf("%v, %q: %q, want %q", picture, c.set, advice, c.want)
		}
		for _, size := range regexp.MustCompile(`\d+`).FindAllString(suitable(picture), -1) {
			side, err := strconv.Atoi(size)
			square, usual := data.Shape{H: side, W: side, C: 3}, Default()
			if c.h == 1 {
				square.H, usual.As = 1, data.Signals
			}
			again, e := Resolve(usual, square, nil)
			if errors.Join(err, e) != nil || Advice(usual, again, square) != "" ||
				len(again.UNetChannels) < 2 && side > 32 && c.h > 1 {
				t.Errorf("%v: %s is advised, with U-Nets of %v", picture, size, again.UNetChannels)
			}
		}
	}
}

// Keys of networks of another kind are idle if they were given values other than the defaults.
func TestIdle(t *testing.T) {
	for set, want := range map[string][]string{
		"decoder_widths=8 unet_blocks=2":                   {"decoder_widths"},
		"network=mlp decoder_widths=8 unet_blocks=2":       {"unet_blocks"},
		"score=transformer score_heads=8 unet_channels=64": {"unet_channels"},
		"score=mlp score_heads=8 score_blocks=2":           {"score_heads"},
		"method=vae encoder_widths=8 decoder_blocks=2":     {"encoder_widths"},
		"decoder_widths=256,512":                           nil, // the default
	} {
		c, keys := asked(t, set)
		given := func(key string) bool { return slices.Contains(keys, key) }
		c, err := Resolve(c, data.Shape{H: 16, W: 16, C: 3}, given)
		if err != nil {
			t.Fatal(err)
		}
		if got := Idle(c, given); !slices.Equal(got, want) {
			t.Errorf("%s: %q is idle, expected %q", set, got, want)
		}
		if got := Idle(c, func(string) bool { return false }); got != nil {
			t.Errorf("%s: %q is idle although nothing was given", set, got)
		}
	}
}

// convOptions are options of a method with small convolutions, for pictures of 8 x 8 x 3.
func convOptions(t *testing.T, name config.Method) config.Options {
	t.Helper()
	c, _ := asked(t, "method="+string(name)+
		" network=conv latent_shape=4,4,2 decoder_channels=8,6 decoder_blocks=1 "+
		"score_width=10 unet_channels=8,12 score_heads=2 latent=32")
	c, err := Resolve(c, testPicture, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.LRSchedule, c.StepSchedule = "constant", "constant"
	return c.Options
}

var testPicture = data.Shape{H: 8, W: 8, C: 3}

// colours is random pictures, smooth enough to be learned.
type colours struct {
	data.Dataset
	x []float32
}

func newColours(n int) colours {
	dim := testPicture.Dim()
	x := reference.Normals(n*dim, 3, 0.1)
	tone := reference.Normals(n*3, 4, 0.5)
	for i := range x {
		x[i] = min(1, max(-1, x[i]+tone[i/dim*3+i%3]))
	}
	return colours{x: x}
}

func (c colours) Len() int          { return len(c.x) / testPicture.Dim() }
func (c colours) Shape() data.Shape { return testPicture }
func (c colours) Label(i int) int   { return int(testLabels[i%len(testLabels)]) }

func (c colours) Gather(dst []float32, idx []int) {
	d := testPicture.Dim()
	for i, k := range idx {
		copy(dst[i*d:(i+1)*d], c.x[k*d:])
	}
}

// trainConv makes some steps and returns the state.
func trainConv(
	t *testing.T, name config.Method, o config.Options, workers, tile, wave int,
) (m Method, losses []float64) {
	t.Helper()
	p := pool.New(workers)
	t.Cleanup(p.Close)
	images := newColours(testPoints)
	m, err := New(name, Setup{
		Options: o, Train: images, Batch: 5, Tile: tile, Wave: wave, Seed: testSeed, Steps: 30,
		Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	b := data.NewBatches(testPoints, 5, 1)
	for k := range 30 {
		index := b.At(k/b.PerEpoch(), k%b.PerEpoch())
		s, err := m.Step(Minibatch{Index: index, Number: uint32(k), Progress: float64(k) / 30})
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, s.SquareError/s.Rows)
	}
	return m, losses
}

// Every method trains convolutions: the errors fall, and the bits are the same at any number of
// workers, of any BLAS. In 30 steps the errors of most fall by a third, of two-stage methods in
// their first half by a quarter, and of ipla, which descends without Adam, by a few thousandths.
func TestEveryMethodTrainsConvolutions(t *testing.T) {
	skipInPlainGo(t)
	for _, name := range config.Methods {
		t.Run(string(name), func(t *testing.T) {
			eachBLAS(t, func(t *testing.T) {
				o := convOptions(t, name)
				o.Condition, o.Classes, o.ConditionDrop = config.OfBoth, 3, 0.1
				m, losses := trainConv(t, name, o, 1, 64, 0)
				share := 0.85
				if name == config.IPLA {
					share = 0.998
				}
				first, last := losses[0]+losses[1], losses[28]+losses[29]
				if !(last < share*first) {
					t.Errorf("the squared errors go from %v to %v", first, last)
				}
				more, _ := trainConv(t, name, o, 3, 64, 0)
				if differs := stateOf(m).diff(stateOf(more)); differs != "" {
					t.Errorf("3 workers: %s differs from one worker's", differs)
				}
			})
		})
	}
}

// With plume's own products neither tiles nor waves show in the bits.
func TestConvolutionsAtAnyTileAndWave(t *testing.T) {
	useBLAS(t, "native")
	for _, name := range few(1, config.IPLD, config.VAEDiffusion, config.TwoStage) {
		o := convOptions(t, name)
		o.Particles = 2
		var want state
		cuts := few(2, [][2]int{{64, 0}, {2, 4}, {1, 1}, {4, 6}, {64, 2}}...)
		for _, cut := range cuts {
			m, _ := trainConv(t, name, o, 2, cut[0], cut[1])
			if want == nil {
				want = stateOf(m)
			}
			if differs := want.diff(stateOf(m)); differs != "" {
				t.Errorf("%s, tile %d, wave %d: %s differs", name, cut[0], cut[1], differs)
			}
		}
	}
}

// A transformer trains as a score network: the bits are the same at any tile, and other heads make
// other bits.
func TestTransformerTrains(t *testing.T) {
	useBLAS(t, "native")
	o := convOptions(t, "ipld")
	o.Score, o.ScoreBlocks = config.ScoreTransformer, 2
	m, losses := trainConv(t, "ipld", o, 1, 64, 0)
	if first, last := losses[0]+losses[1], losses[28]+losses[29]; !(last < 0.85*first) {
		t.Errorf("the squared errors go from %v to %v", first, last)
	}
	cut, _ := trainConv(t, "ipld", o, 2, 2, 4)
	if differs := stateOf(m).diff(stateOf(cut)); differs != "" {
		t.Errorf("in tiles and waves: %s differs", differs)
	}
	o.ScoreHeads = 1
	other, _ := trainConv(t, "ipld", o, 1, 64, 0)
	if stateOf(m).diff(stateOf(other)) == "" {
		t.Error("the number of heads does not show")
	}
}

func ExampleDescribe() {
	picture := data.Shape{H: 32, W: 32, C: 3}
	c, err := DefaultOn("ipld", picture)
	if err != nil {
		fmt.Println(err)
		return
	}
	networks, err := Describe(c, picture)
	if err != nil {
		fmt.Println(err)
		return
	}
	for part := range strings.SplitSeq(networks, "; ") {
		fmt.Println(part)
	}
	// Output:
	// conv decoder from 8 x 8 x 4 to 32 x 32 x 3, 195,107 parameters
	// unet score network, 1,563,140
}
