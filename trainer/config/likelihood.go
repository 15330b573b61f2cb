package config

import "github.com/plume-ml/plume/trainer/likelihood"

// Values of the key likelihood besides columns (likelihood.ParseColumns).
const (
	AutoLikelihood     = "auto"
	GaussianLikelihood = likelihood.Gauss
	ClippedLikelihood  = likelihood.Clip
)

func (o *Options) likelihoodKeys() []Key {
	return group("Networks",
		textKey(&o.Likelihood, "likelihood", AutoLikelihood, likelihoodText,
			"what the decoder says of a row: gaussian (obs_noise is that of all numbers), clipped "+
				"(gaussian about its output cut off at -1 and 1), or by columns, as "+
				"normal:4,bernoulli,categorical:3, with a learned scale of each normal one; auto: "+
				"clipped for pictures, by columns for tables"),
		floatKey(&o.ObsNoise, "obs_noise", 0.2, both(positive, invertible), "pixels in [-1, 1]",
			"sigma_x, standard deviation of a pixel given its latent (pixels span [-1, 1]); "+
				"with columns the smallest scale of a normal one, in standard deviations of it"),
	)
}

var invertible = expect("at least 1e-19: 1/obs_noise^2 overflows in single precision",
	func(v float64) bool { return v >= 1e-19 })

// likelihoodText is the rule of the key likelihood.
var likelihoodText = rule[string]{likelihoods, func(v string) (expected string) {
	switch v {
	case AutoLikelihood, GaussianLikelihood, ClippedLikelihood:
		return ""
	}
	if _, err := likelihood.ParseColumns(v); err != nil {
		return likelihoods + ", such as normal:4,bernoulli (" + err.Error() + ")"
	}
	return ""
}}

const likelihoods = "auto, gaussian, clipped, or the columns of a row"
