package compare

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
)

func TestParse(t *testing.T) {
	got, err := Parse("pgd, ipld:particles=04:inner-steps=2," +
		"ipld:decoder_widths=[64,128]:lr=1e-3,pgd+diffusion,pgd:like=ipld:step-size=x.5")
	want := []Contestant{
		{Name: "pgd", Method: "pgd"},
		{
			Name: "ipld:particles=4:inner_steps=2", Method: "ipld",
			Own: []Own{{"particles", "4"}, {"inner_steps", "2"}},
		},
		{
			Name: "ipld:decoder_widths=[64,128]:lr=0.001", Method: "ipld",
			Own: []Own{{"decoder_widths", "64,128"}, {"lr", "0.001"}},
		},
		{Name: "pgd+diffusion", Method: "pgd+diffusion"},
		{
			Name: "pgd:like=ipld:step_size=x0.5", Method: "pgd", Like: "ipld",
			Own: []Own{{"step_size", "x0.5"}},
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, c := range want {
		again, err := Parse(c.Name)
		if diff := cmp.Diff([]Contestant{c}, again); err != nil || diff != "" {
			t.Errorf("a contestant's name is not what Parse reads: %v %s", err, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"ipdl":           `method "ipdl": expected one of ipld, pgd, .*did you mean "ipld"`,
		"ipld:particles": `"particles": expected KEY=VALUE`,
		"ipld:=3":        `"=3": expected KEY=VALUE`,
		"ipld:partices=4": `partices is no key that a contestant sets ` +
			`(did you mean "particles"?)`,
		"ipld:particles=many":    "particles = many: expected an integer",
		"ipld:epochs=3":          "epochs is no key that a contestant sets",
		"ipld:data=digits":       "data is no key that a contestant sets",
		"ipld:lr=1:lr=2":         "lr: expected one value",
		"ipld:step_size=x0":      "step_size = x0: expected a number",
		"ipld:particles=x2":      "particles = x2: expected an integer",
		"vae:step_size=x2":       `contestant "vae:step_size=x2": step_size is not read by vae`,
		"pgd:like=ipd":           `like = ipd: expected one of ipld, pgd, .*did you mean "ipld"`,
		"pgd:like=vae:like=ipld": "like: expected one value",
		"ipld:seed=2,pgd:size=3": "size is no key that a contestant sets",
	} {
		_, err := Parse(text)
		for part := range strings.SplitSeq(want, ".*") {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v; expected %q", text, err, part)
			}
		}
	}
}

// Pictures on which MLPs are trained, and convolutions.
var grey, colour = data.Shape{H: 8, W: 8, C: 1}, data.Shape{H: 8, W: 8, C: 3}

// shaped are pictures of a shape, without labels.
type shaped struct {
	data.Dataset
	shape data.Shape
}

func (s shaped) Shape() data.Shape { return s.shape }
func (s shaped) Len() int          { return 0 }
func (s shaped) Name() string      { return "shaped" }

// on returns the configurations on pictures of a shape.
func (o Options) on(picture data.Shape) ([]config.Config, error) {
	configs, err := o.configs()
	if err != nil {
		return nil, err
	}
	return configs, o.resolveAll(configs, shaped{shape: picture})
}

// Multiples are of what a contestant would have on the data, the end of the schedule with its
// start; and contestants like another method have its defaults, as the data change them.
func TestRelative(t *testing.T) {
	contestants, err := Parse("ipld:step_size=x0.5,ipld:step_size=x3:step_size_end=0.01," +
		"pgd:like=ipld,ipld:lr=x0.1,ipld")
	if err != nil {
		t.Fatal(err)
	}
	for _, picture := range []data.Shape{grey, colour} {
		for given, base := range map[string]float64{"": 0, "step_size": 0.02} {
			o := Options{
				Contestants: contestants, Given: []string{given},
				Base: func(name config.Method) (config.Config, error) {
					c, err := method.DefaultFor(name)
					if base > 0 {
						c.StepSize = base
					}
					return c, err
				},
			}
			all, err := o.on(picture)
			if err != nil {
				t.Fatal(err)
			}
			usual, err := method.DefaultOn("ipld", picture)
			if err != nil {
				t.Fatal(err)
			}
			if base == 0 {
				base = usual.StepSize
			}
			end := usual.StepSizeEnd / usual.StepSize
			near := func(got, want float64) bool { return math.Abs(got/want-1) < 1e-3 }
			half, thrice, pgd, slow := all[0], all[1], all[2], all[3]
			if !near(half.StepSize, base/2) || !near(half.StepSizeEnd, base/2*end) {
				t.Errorf("half of %v: %v to %v", base, half.StepSize, half.StepSizeEnd)
			}
			if !near(thrice.StepSize, 3*base) || thrice.StepSizeEnd != 0.01 {
				t.Errorf("three times %v: %v to %v", base, thrice.StepSize, thrice.StepSizeEnd)
			}
			if !near(pgd.StepSize, base) || pgd.Friction != usual.Friction ||
				pgd.Dynamics != usual.Dynamics || pgd.DecoderDecay != usual.DecoderDecay {
				t.Errorf("pgd like ipld: %+v", pgd.Options)
			}
			if !near(slow.LR, usual.LR/10) || !near(slow.StepSize, base) {
				t.Errorf("a tenth of lr: %v, step size %v", slow.LR, slow.StepSize)
			}
		}
	}
}

// Whether contestants are equal depends on the data.
func TestDistinct(t *testing.T) {
	contestants, err := Parse("ipld,ipld:cloud_init=normal")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Contestants: contestants}
	if _, err := o.on(colour); err != nil {
		t.Error(err)
	}
	if _, err := o.on(grey); err == nil ||
		!strings.Contains(err.Error(), "expected different configurations") {
		t.Errorf("equal on grey pictures: %v", err)
	}
}

// Every preset must be a valid comparison of contestants with different configurations.
func TestPresets(t *testing.T) {
	for _, p := range Presets() {
		contestants, err := Preset(p.Name)
		if err != nil {
			t.Fatal(p.Name, err)
		}
		for _, picture := range []data.Shape{grey, colour} {
			configs, err := (Options{Contestants: contestants}).on(picture)
			if err != nil || len(configs) < 2 {
				t.Errorf("%s: %d contestants, %v", p.Name, len(configs), err)
			}
		}
	}
	all, err := Preset("methods")
	if got := namesOf(all); err != nil || !slices.Equal(got, config.Names(config.Methods)) {
		t.Errorf("methods: %v, %v", got, err)
	}
	_, err = Preset("particle")
	if err == nil || !strings.Contains(err.Error(), `did you mean "particles"`) {
		t.Errorf("an unknown preset: %v", err)
	}
}

// A contestant's configuration starts from its method's defaults; then come the shared keys, then
// its own.
func TestConfigOrder(t *testing.T) {
	contestants, err := Parse("shortrun,shortrun:inner_steps=3:lr=0.5")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Contestants: contestants, Base: func(name config.Method) (config.Config, error) {
		c, err := method.DefaultFor(name)
		c.LR, c.Latent, c.Epochs, c.EvalEvery = 0.25, 7, 99, 98
		return c, err
	}}
	configs, err := o.configs()
	if err != nil {
		t.Fatal(err)
	}
	standard, err := method.DefaultFor("shortrun")
	if err != nil || standard.InnerSteps == method.Default().InnerSteps {
		t.Fatalf("the test needs a method with a default of its own: %v", err)
	}
	a, b := configs[0], configs[1]
	if a.InnerSteps != standard.InnerSteps || a.LR != 0.25 || a.Latent != 7 {
		t.Errorf("inner_steps %d, lr %v, latent %d", a.InnerSteps, a.LR, a.Latent)
	}
	if b.InnerSteps != 3 || b.LR != 0.5 || b.Latent != 7 {
		t.Errorf("own keys: inner_steps %d, lr %v, latent %d", b.InnerSteps, b.LR, b.Latent)
	}
	if a.Epochs != 1 || a.EvalEvery != 1 {
		t.Errorf("epochs %d, eval_every %d: the plan's to set", a.Epochs, a.EvalEvery)
	}
}

func TestConfigsRefused(t *testing.T) {
	for list, want := range map[string]string{
		"ipld,ipld:particles=1":                      "expected different configurations",
		"ipld:particles=0":                           "particles = 0: expected",
		"shortrun:particles=2":                       "particles = 2: expected",
		"ipld:decoder_widths=64,ipld:decoder_widths": "",
	} {
		contestants, err := Parse(list)
		if err == nil {
			_, err = Options{Contestants: contestants}.on(grey)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", list, err, want)
		}
	}
	contestants, err := Parse("ipld,pgd")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Contestants: contestants, Base: func(name config.Method) (config.Config, error) {
		c, err := method.DefaultFor(name)
		c.EvalSamples += len(name)
		return c, err
	}}
	_, err = o.configs()
	if err == nil || !strings.Contains(err.Error(),
		"contestant pgd: eval_samples: expected the same for all") {
		t.Errorf("unequal reports: %v", err)
	}
}

// Contestants on colour pictures have the defaults of convolutions, as in a run, but for keys that
// they, the base or the comparison set.
func TestContestantsOnPictures(t *testing.T) {
	contestants, err := Parse("ipld,ipld:batch=64")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Contestants: contestants, Given: []string{"friction"},
		Base: func(name config.Method) (config.Config, error) {
			c, err := method.DefaultFor(name)
			c.StepSize = 0.25
			return c, err
		},
	}
	configs, err := o.configs()
	if err != nil {
		t.Fatal(err)
	}
	for i, batch := range []int{128, 64} {
		c, err := o.resolve(contestants[i], configs[i], pictures{})
		if err != nil {
			t.Fatal(err)
		}
		usual := method.Default()
		if c.Decoder != config.Conv || c.CloudInit != config.FromComponents || c.Batch != batch ||
			c.StepSize != 0.25 || c.Friction != usual.Friction || c.Epochs != 1 {
			t.Errorf("%s: %v, from %v, batch %d, step %v, friction %v, %d epochs", c.Method,
				c.Decoder, c.CloudInit, c.Batch, c.StepSize, c.Friction, c.Epochs)
		}
	}
}

// pictures is a data set of colour pictures of 8 x 8.
type pictures struct{ data.Table }

func (pictures) Len() int          { return 1000 }
func (pictures) Shape() data.Shape { return data.Shape{H: 8, W: 8, C: 3} }
