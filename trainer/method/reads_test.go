package method

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
)

// altered are other values of all keys of the options but those in unaltered.
var altered = map[string]string{
	"precision": "bf16",
	"dynamics":  "exact", "step_size": "0.03", "step_size_end": "0.01", "step_schedule": "cosine",
	"friction": "0.8", "inner_steps": "3", "scale_anchor": "5", "drift_clip": "0.001",
	"catch_up": "4", "param_noise": "2", "encoder_widths": "8", "prior_share": "0.5",
	"score_width": "10", "score_blocks": "1", "score_features": "6", "lambda_min": "-5",
	"lambda_max": "4", "score_draws": "2", "prior_weight": "simple", "score_lr": "0.1",
	"prior_levels": "sech",
	"prior_warmup": "3", "prior_drift": "score", "control_variate": "true",
	// Every method reads these, but for the first.
	"cloud_init": "pca", "latent": "2", "obs_noise": "0.3", "decoder_widths": "8", "particles": "2",
	"likelihood": "normal:5",
	"optimizer":  "adam", "lr": "0.02", "lr_end": "0.5", "lr_schedule": "constant",
	"decoder_decay": "2", "param_drag": "0.3", "ema": "0.9",
	"condition": "none", "classes": "4", "condition_drop": "0.7",
}

// unaltered are the keys of the options that no method reads: the trainer does.
var unaltered = []string{"batch_repeats"}

// alteredConv are values for the keys of convolutions, which convOptions do not have.
var alteredConv = map[string]string{
	"decoder_channels": "8,8", "decoder_blocks": "2", "encoder_channels": "8,8",
	"unet_channels": "8,8", "unet_blocks": "2", "score_heads": "1",
}

// chosen are the keys that choose networks, after which a training is another (TestResolve).
var chosen = []string{"network", "decoder", "score", "encoder", "latent_shape"}

// A key of convolutions changes a training if and only if its method reads it.
func TestMethodsReadTheirKeysOfConvolutions(t *testing.T) {
	skipInPlainGo(t)
	for _, name := range config.Methods {
		c := config.Config{Method: name, Options: convOptions(t, name)}
		m, _ := trainConv(t, name, c.Options, 2, 64, 0)
		want := stateOf(m)
		for key, value := range alteredConv {
			other := c
			if err := other.Key(key).Set(value); err != nil {
				t.Fatal(key, err)
			}
			m, _ := trainConv(t, name, other.Options, 2, 64, 0)
			if changed := want.diff(stateOf(m)) != ""; changed != Reads(name, key) {
				t.Errorf("%s, %s: changes the training: %v, read: %v", name, key, changed,
					Reads(name, key))
			}
		}
	}
}

// trainedWith returns the state after a whole training of two epochs with the configuration.
func trainedWith(t *testing.T, c config.Config) state {
	t.Helper()
	m := startMethod(t, c.Method, c.Options, 5, 1, 4)
	defer m.Close()
	for k := range stagedSteps {
		takeStep(t, m, stagedBatch(k))
	}
	return stateOf(m)
}

// optionKeys are the names of the keys of config.Options.
func optionKeys(t *testing.T) (names []string) {
	t.Helper()
	var c config.Config
	for _, key := range c.Keys() {
		if !slices.Contains([]string{"Data", "Run", "Reports"}, key.Group) {
			names = append(names, key.Name)
		}
	}
	if fields := reflect.TypeFor[config.Options]().NumField(); len(names) != fields {
		t.Fatalf("%d keys of the options, which have %d fields", len(names), fields)
	}
	return names
}

// readable is a configuration of the named method in which every key that it reads has an effect.
func readable(t *testing.T, name config.Method) config.Config {
	t.Helper()
	c := config.Config{Method: name, Options: smallEncoder()}
	setDefaults(t, name, &c.Options)
	c.Dynamics, c.InnerSteps = particle.Underdamped, 2
	c.StepSchedule, c.StepSize, c.StepSizeEnd = optim.Geometric, 0.04, 0.02
	c.LRSchedule, c.LREnd = optim.Cosine, 0.1
	c.PriorShare, c.PriorLevels = 0.2, diffusion.Uniform
	c.Condition, c.Classes, c.ConditionDrop = config.OfBoth, 3, 0.3
	c.ObsNoise = 0.15 // the cloud becomes wider than N(0, I), from where the scale anchor acts
	return c
}

// A key of the options changes a training if and only if its method reads it.
func TestMethodsReadTheirKeys(t *testing.T) {
	tested := map[string]int{} // by keys, the methods
	for _, name := range config.Methods {
		c := readable(t, name)
		want := trainedWith(t, c)
		for _, key := range optionKeys(t) {
			value, found := altered[key]
			if !found {
				continue
			}
			other := c
			if err := other.Key(key).Set(value); err != nil {
				t.Fatal(key, err)
			}
			if validate(name, other.Options) != nil {
				continue
			}
			tested[key]++
			changed := want.diff(trainedWith(t, other)) != ""
			if changed != Reads(name, key) {
				t.Errorf("%s, %s: changes the training: %v, read: %v", name, key, changed,
					Reads(name, key))
			}
		}
	}
	for _, key := range optionKeys(t) {
		if tested[key] == 0 && alteredConv[key] == "" &&
			!slices.Contains(unaltered, key) && !slices.Contains(chosen, key) {
			t.Errorf("%s: altered has no value that a method accepts", key)
		}
	}
}

// Keys that none of the methods reads are refused with the reason and the remedy.
func TestCheckRead(t *testing.T) {
	given := []config.Given{{Key: "step_size", Where: "--step-size"}, {Key: "lr", Where: "--lr"}}
	err := CheckRead(given, config.VAE)
	want := "--step-size: step_size is not read by vae, which moves no particles; leave it out, " +
		"or choose a method that reads it: ipld, pgd, pgd+diffusion, mpgd, ipla, soul, shortrun, " +
		"abp"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nexpected %s", err, want)
	}
	want = "--step-size: step_size is not read by vae, vae+diffusion and two-stage, which move " +
		"no particles; leave it out, or choose a method that reads it: ipld, "
	err = CheckRead(given, config.VAE, config.VAEDiffusion, config.TwoStage)
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("of several methods: error %v\nexpected %s", err, want)
	}
	want = "--step-size: step_size is not read by vae, which moves no particles; leave it out"
	if err := CheckStored(given, config.VAE); err == nil || err.Error() != want {
		t.Errorf("of a stored run: error %v\nexpected %s", err, want)
	}
	if err := CheckRead(given, config.VAE, config.PGD); err != nil {
		t.Errorf("one of two methods reads the key: %v", err)
	}
	c := config.Common()
	for _, set := range keySets {
		for _, key := range set.names {
			c.Key(key) // panics if there is no such key
		}
	}
}

// A method reads the keys of the solver if and only if its prior needs one.
func TestSolverOfPriors(t *testing.T) {
	for _, m := range specs {
		p, err := m.prior(nil, smallEncoder())
		if err != nil {
			t.Fatal(err)
		}
		want := !p.Closed()
		for _, key := range []string{"solver", "solver_steps"} {
			if got := Reads(m.name, key); got != want {
				t.Errorf("%s reads %s: %v, expected %v", m.name, key, got, want)
			}
		}
	}
}
