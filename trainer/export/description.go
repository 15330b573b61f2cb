package export

import (
	"encoding/json"
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
)

// Format is the number of the format of exports that this package writes, the only one that it
// reads.
const Format = 1

// Which weights an export has.
const (
	Averaged = "averaged" // the moving average over the training
	Raw      = "raw"      // as they were after the last step
)

// Description is what an export says of its model besides the numbers.
type Description struct {
	Format    int            `json:"format"`
	Version   string         `json:"version"` // of the plume that wrote it
	Layout    string         `json:"layout"`  // of the tensors, in words
	Method    config.Method  `json:"method"`
	Weights   string         `json:"weights"`   // Averaged or Raw
	Precision blas.Precision `json:"precision"` // of the products that it was trained with
	Step      int            `json:"step"`      // parameter steps of the training
	Epoch     int            `json:"epoch"`
	Seed      uint64         `json:"seed"`

	Data     Data    `json:"data"`
	Latent   Shape   `json:"latent"`    // of a latent
	ObsNoise float64 `json:"obs_noise"` // standard deviation of a value given its latent
	// Likelihood is the columns of a row (likelihood.Mixed, whose smallest scale is ObsNoise), for
	// which the decoder gives logits and scales; "clipped": its outputs, cut off at -1 and 1, are
	// the values of an image; "": they are these values.
	Likelihood string `json:"likelihood,omitempty"`
	Prior      Prior  `json:"prior"`
	Classes    *Class `json:"classes,omitempty"` // what the conditions mean; nil: there are none
	// Networks are those of Decoder, Score and Encoder; those that the model lacks are missing.
	Networks  map[string]Network `json:"networks"`
	Particles *Particles         `json:"particles,omitempty"` // nil: the export has none
	Start     *Start             `json:"start,omitempty"`     // nil: N(0, I), or unknown
	Config    string             `json:"config"`              // the resolved configuration, as TOML
	Schema    string             `json:"schema,omitempty"`    // of a table: its columns, as TOML
}

// Names of networks, which are also how the names of their tensors begin.
const (
	Decoder = "decoder" // from a latent to an image
	Score   = "prior"   // r(z, lambda) of a diffusion prior
	Encoder = "encoder" // from an image to mean and log-variance of its latent
)

// layoutText is Description.Layout.
const layoutText = "PyTorch: linear out x in, conv out x in x height x width, positions channels " +
	"x height x width; rows are height x width x channels"

// Shape is height, width and channels of a row.
type Shape [3]int

func shapeOf(s layer.Shape) Shape { return Shape{s.H, s.W, s.C} }

// Layer is the shape as that of a row in a network.
func (s Shape) Layer() layer.Shape { return layer.Shape{H: s[0], W: s[1], C: s[2]} }

// Data is what a model was trained on.
type Data struct {
	Name        string        `json:"name"`        // an embedded name or a path
	Fingerprint string        `json:"fingerprint"` // of its content
	Shape       Shape         `json:"shape"`       // of an image
	Range       [2]float64    `json:"range"`       // of the values of images: black and white
	Read        *data.Summary `json:"read,omitempty"`
}

// Prior says what latents are distributed as: z = mean + exp(log_scale) u, elementwise, where u has
// the distribution that Kind names.
type Prior struct {
	Kind string `json:"kind"` // Diffusion or Gaussian
	// A diffusion goes from log-SNR LambdaMax, where u is, to LambdaMin, where it is noise:
	// u_lambda = alpha u + sigma eps with alpha^2 = 1/(1 + exp(-lambda)) and sigma^2 = 1/(1 +
	// exp(lambda)). The network of the name Score predicts eps as sigma u_lambda + r(u_lambda,
	// lambda).
	LambdaMin float64 `json:"lambda_min,omitempty"`
	LambdaMax float64 `json:"lambda_max,omitempty"`
	Mean      string  `json:"mean,omitempty"`      // the tensor; "": 0
	LogScale  string  `json:"log_scale,omitempty"` // the tensor; "": 0
}

// Kinds of priors.
const (
	Diffusion = "diffusion"
	Gaussian  = "gaussian" // N(0, I)
)

// Class says what the conditions of networks mean: a one for the class, zeros for any.
type Class struct {
	data.Classes
	// Counts are training images by class and, at last, those without; samples that are asked for
	// no class have classes in these shares. There may be more conditions than classes.
	Counts []uint32 `json:"counts"`
}

// Particles describes the latents of the training images in an export: the tensors "particles",
// Rows x Each x latent, and of Rows numbers each "rows.source", the row in the data, "rows.label",
// the class (-1: unknown), and "rows.flipped", 1 for a mirror image.
type Particles struct {
	Rows int `json:"rows"`
	Each int `json:"each"` // particles of an image
}

// Names of the tensors of Particles.
const (
	particlesName = "particles"
	rowsSource    = "rows.source"
	rowsLabel     = "rows.label"
	rowsFlipped   = "rows.flipped"
)

// parseDescription decodes and checks a description.
func parseDescription(text []byte) (Description, error) {
	var head struct {
		Format  int
		Version string
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return Description{}, fmt.Errorf("expected the JSON of an export: %w", err)
	}
	if head.Format != Format {
		return Description{}, fmt.Errorf("an export of format %d, written by plume %s; this plume "+
			"reads format %d: use that version, or export the run again", head.Format, head.Version,
			Format)
	}
	var d Description
	if err := json.Unmarshal(text, &d); err != nil {
		return Description{}, fmt.Errorf("expected the JSON of an export: %w", err)
	}
	return d, d.check()
}

// check returns an error for what no export says.
func (d Description) check() error {
	if err := data.Shape(d.Data.Shape.Layer()).Validate(); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if d.Weights != Averaged && d.Weights != Raw {
		return fmt.Errorf("weights %q: expected %s or %s", d.Weights, Averaged, Raw)
	}
	if p := d.Particles; p != nil && (p.Rows < 1 || p.Each < 1) {
		return fmt.Errorf("particles: %d of each of %d images: expected 1 or more", p.Each, p.Rows)
	}
	if d.Step < 0 || d.Epoch < 0 {
		return fmt.Errorf("step %d, epoch %d: expected 0 or more", d.Step, d.Epoch)
	}
	return nil
}
