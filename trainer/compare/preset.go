package compare

import (
	"fmt"
	"strings"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/suggest"
)

// PresetInfo is a named list of contestants.
type PresetInfo struct{ Name, Help, Contestants string }

// Presets returns the named comparisons: all methods, and ablations of ipld.
func Presets() []PresetInfo {
	return []PresetInfo{
		{"methods", "all methods", strings.Join(config.Names(config.Methods), ",")},
		{"prior", "a diffusion prior learned jointly, fitted post hoc, or none",
			"ipld,pgd+diffusion,pgd:like=ipld"},
		{"particles", "particles per datapoint",
			each("ipld:particles=%s", "1", "2", "4", "8", "16")},
		{"prior-weight", "weight of the noise levels in the score network's loss",
			each("ipld:prior_weight=%s", "elbo", "simple")},
		{"likelihood", "pictures as Gaussians about the decoder's output, whole or cut off",
			each("ipld:likelihood=%s", config.GaussianLikelihood, config.ClippedLikelihood)},
		{"prior-levels", "density from which noise levels are drawn",
			each("ipld:prior_levels=%s", string(diffusion.Uniform), string(diffusion.Sech))},
		{"control-variate", "control variate of the prior drift",
			each("ipld:control_variate=%s", "false", "true")},
		{"step-size", "step size h, from a quarter of the default to four times as much",
			each("ipld:step_size=%s", "x0.25", "x0.5", "x1", "x2", "x4")},
		{"inner-steps", "particle moves per parameter step",
			each("ipld:inner_steps=%s", "1", "2", "4", "8")},
		{"precision", "what products round their factors to",
			each("ipld:precision=%s", config.Names(blas.Precisions)...)},
		{"dynamics", "what moves the particles",
			each("ipld:dynamics=%s", "overdamped", "underdamped", "exact")},
	}
}

func each(format string, values ...string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = fmt.Sprintf(format, v)
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
