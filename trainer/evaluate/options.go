// Package evaluate measures a stored run: how far its samples are from real images, how well its
// model explains images held out of training, and how sure each number is.
package evaluate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/suggest"
)

// Groups of metrics, in the order in which they are measured and reported.
const (
	PCA            = "pca"            // Fréchet distance, KID and RBF-MMD in 64 components
	Classifier     = "ffd"            // Fréchet distance and KID of a classifier's features
	Sliced         = "sliced"         // sliced Wasserstein distance
	ByClass        = "class"          // accuracy and distances by class, of a model with classes
	Precision      = "precision"      // precision, recall, density, coverage
	Memorisation   = "memorisation"   // nearest training images
	Reconstruction = "reconstruction" // posterior inference on held-out images: error and energy
	Likelihood     = "likelihood"     // importance-sampled log p(x) of held-out images
	Table          = "table"          // distances of a table's columns, and imputation
	Spectrum       = "spectrum"       // distances of signals' spectra and autocorrelations
)

// Groups returns all groups, in that order.
func Groups() []string {
	return []string{
		PCA, Classifier, Sliced, ByClass, Precision, Table, Spectrum, Memorisation,
		Reconstruction, Likelihood,
	}
}

// Options say what is measured, and how thoroughly. Zero values mean defaults.
type Options struct {
	Samples  int              // images drawn, 2 or more; default 2,000
	Solver   diffusion.Solver // of a diffusion prior; default that of the run's reports
	Steps    int              // of the solver; default those of the reports, or its own
	Guidance float64          // of samples of a model with conditions, 0 or more
	Seed     uint64           // of all random numbers except the classifier's
	Threads  int              // workers; default all cores; does not affect the result
	Raw      bool             // use the weights themselves, not their moving average
	From     string           // checkpoint, as run.Run has it; default the newest
	Data     string           // path of the run's images; default as in its configuration

	Which []string // of Groups; default all that suit the kind of data

	Images int // held-out images for the reconstruction; default 1,000, or all if fewer
	Moves  int // of a particle in posterior inference; default 300

	LikelihoodImages  int // held-out images for log p(x); default 32
	LikelihoodSamples int // importance samples for each of them; default 1,000
	LikelihoodDraws   int // draws of (lambda, eps) for each weight; default 16

	// Hide is the share of the known cells of held-out rows of a table that are filled in, of as
	// many rows as Images says; default 0.3.
	Hide float64

	Pictures string // directory for pictures; "": draw none

	// Progress is called with what is being done, and at intervals with how far long parts are; it
	// may be nil.
	Progress func(string)
	Warn     func(string) // is called with warnings for the user; may be nil

	after func(time.Duration) <-chan time.Time // nil: time.After
	keep  int64                                // bytes of data in memory; 0: the default
}

const (
	maxSamples = 1 << 20
	maxCount   = 1 << 24
)

// Quick returns options for the most informative metrics in seconds.
func Quick() Options {
	return Options{
		Which:   []string{PCA, Classifier, Precision, Table, Spectrum, Reconstruction},
		Samples: 1000,
		Images:  200,
		Moves:   150,
	}
}

// withDefaults replaces zero values by the defaults.
func (o Options) withDefaults() Options {
	set := func(v *int, standard int) { *v = cmp.Or(*v, standard) }
	set(&o.Samples, 2000)
	set(&o.Images, 1000)
	set(&o.Moves, 300)
	set(&o.LikelihoodImages, 32)
	set(&o.LikelihoodSamples, 1000)
	set(&o.LikelihoodDraws, 16)
	o.Hide = cmp.Or(o.Hide, 0.3)
	if len(o.Which) == 0 {
		o.Which = Groups()
	}
	for _, f := range []*func(string){&o.Progress, &o.Warn} {
		if *f == nil {
			*f = func(string) {}
		}
	}
	return o
}

// Validate reports every value out of range. The solver is checked when images are drawn.
func (o Options) Validate() error {
	var problems []error
	expect := func(name string, value, low, high int) {
		if value != 0 && (value < low || value > high) {
			problems = append(problems, fmt.Errorf("%s is %d; expected %d to %d, or 0 for the "+
				"default", name, value, low, high))
		}
	}
	expect("samples", o.Samples, 2, maxSamples)
	expect("steps", o.Steps, 1, maxCount)
	expect("threads", o.Threads, 1, 1<<12)
	expect("images", o.Images, minHeldOut, maxCount)
	expect("moves", o.Moves, 2, maxCount)
	expect("likelihood images", o.LikelihoodImages, minHeldOut, maxCount)
	expect("likelihood samples", o.LikelihoodSamples, 2, maxCount)
	expect("likelihood draws", o.LikelihoodDraws, 1, maxCount)
	if !(o.Guidance >= 0) || math.IsInf(o.Guidance, 0) {
		problems = append(problems, fmt.Errorf("guidance is %v; expected 0 or more", o.Guidance))
	}
	if !(o.Hide >= 0 && o.Hide < 1) {
		problems = append(problems, fmt.Errorf("hide is %v; expected a share below 1, or 0 for "+
			"the default", o.Hide))
	}
	for _, group := range o.Which {
		if !slices.Contains(Groups(), group) {
			problems = append(problems, fmt.Errorf("metrics %q; expected one of %s%s",
				group, strings.Join(Groups(), ", "), suggest.DidYouMean(group, Groups())))
		}
	}
	return errors.Join(problems...)
}

func (o Options) wants(group string) bool { return slices.Contains(o.Which, group) }
