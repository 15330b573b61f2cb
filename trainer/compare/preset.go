package compare

import (
	"fmt"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/suggest"
)

// PresetInfo is a named list of contestants.
type PresetInfo struct{ Name, Help, Contestants string }

// Presets returns the named comparisons: all methods, and ablations of ipld.
func Presets() []PresetInfo {
	return []PresetInfo{
		{"methods", "all methods", strings.Join(config.Names(config.Methods), ",")},
		{"prior", "a diffusion prior learned jointly, fitted post hoc, or none",
			"ipld,pgd+diffusion," + withoutPrior()},
		{"particles", "particles per datapoint",
			each("ipld:particles=%s", "1", "2", "4", "8", "16")},
		{"prior-weight", "weight of the noise levels in the score network's loss",
			each("ipld:prior_weight=%s", "elbo", "simple")},
		{"control-variate", "control variate of the prior drift",
			each("ipld:control_variate=%s", "false", "true")},
		{"step-size", "step size h, from a quarter of the default to four times as much",
			stepSizes(0.25, 0.5, 1, 2, 4)},
		{"inner-steps", "particle moves per parameter step",
			each("ipld:inner_steps=%s", "1", "2", "4", "8")},
		{"dynamics", "what moves the particles",
			each("ipld:dynamics=%s", "overdamped", "underdamped", "exact")},
	}
}

// withoutPrior is pgd with ipld's settings for particles and decoder.
func withoutPrior() string {
	c := method.Default()
	return fmt.Sprintf("pgd:dynamics=%s:step_size=%v:step_size_end=%v:friction=%v:decoder_decay=%v",
		c.Dynamics, c.StepSize, c.StepSizeEnd, c.Friction, c.DecoderDecay)
}

func each(format string, values ...string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = fmt.Sprintf(format, v)
	}
	return strings.Join(list, ",")
}

// stepSizes are contestants with the default step size of ipld times each factor, at both ends of
// its schedule.
func stepSizes(factors ...float64) string {
	c := method.Default()
	list := make([]string, len(factors))
	for i, factor := range factors {
		list[i] = fmt.Sprintf("ipld:step_size=%v:step_size_end=%v", factor*c.StepSize,
			factor*c.StepSizeEnd)
	}
	return strings.Join(list, ",")
}

// Preset returns the contestants of the named preset.
func Preset(name string) ([]Contestant, error) {
	var names []string
	for _, p := range Presets() {
		if p.Name == name {
			return Parse(p.Contestants)
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("preset %q: expected one of %s%s", name, strings.Join(names, ", "),
		suggest.DidYouMean(name, names))
}
