package metric

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
)

// Epoch is one line of metrics.jsonl: the diagnostics of one epoch (ALGORITHM.md section 4).
//
// JSON has no NaN and no infinity. A float that is not finite is written as null, and null or a
// missing float is read as NaN (a missing or null pca64_fd as nil: it was not measured).
type Epoch struct {
	Epoch             int      `json:"epoch"`              // complete epochs, from 1
	Step              int      `json:"step"`               // training steps taken
	Seconds           float64  `json:"seconds"`            // training wall time so far
	StepSeconds       float64  `json:"step_seconds"`       // of them, spent in training steps
	CheckpointSeconds float64  `json:"checkpoint_seconds"` // of them, training was held up by checkpoints
	Evaluations       float64  `json:"evaluations"`        // of networks so far: passes of a row, forward and back, through one
	RowsPerS          float64  `json:"rows_per_s"`         // rows per second
	ReconMSE          float64  `json:"recon_mse"`          // mean squared pixel error of the moving particles
	PriorLoss         float64  `json:"prior_loss"`         // nats per latent dimension
	LatentMS          float64  `json:"latent_ms"`          // mean of z^2
	LatentStdMin      float64  `json:"latent_std_min"`     // least standard deviation of a latent dimension
	LatentStdMax      float64  `json:"latent_std_max"`     // largest
	Clipped           float64  `json:"clipped"`            // share of rows whose drift was clipped
	Redrawn           float64  `json:"redrawn"`            // share of particles re-drawn by the guard
	ExtraTemperature  float64  `json:"extra_temperature"`  // h v / 2, about h v / (2 friction) with velocities; v the noise variance of the prior drift as used: the mean of its draws
	EnergyNats        float64  `json:"energy_nats"`        // decoder NLL + l_theta, per datum
	StepSize          float64  `json:"step_size"`          // h
	LR                float64  `json:"lr"`                 // learning rate
	AnchorDrift       float64  `json:"anchor"`             // mean coefficient of the scale anchor
	PCA64FD           *float64 `json:"pca64_fd,omitempty"` // PCA.Distance of the samples
	EvalSolver        string   `json:"eval_solver,omitempty"`

	// Slowed is what divergences have multiplied step size and learning rate by; nil: nothing.
	Slowed *float64 `json:"divergence_factor,omitempty"`
}

var floatType = reflect.TypeFor[float64]()

// MarshalJSON writes the fields in their order, floats that are not finite as null.
func (e Epoch) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	v := reflect.ValueOf(e)
	for i := range v.NumField() {
		field := v.Field(i)
		key, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if options == "omitempty" && field.IsZero() {
			continue
		}
		text := []byte("null")
		if f := reflect.Indirect(field); f.Type() != floatType || finite(f.Float()) {
			var err error
			if text, err = json.Marshal(f.Interface()); err != nil {
				return nil, err
			}
		}
		out.WriteString(`,"` + key + `":`)
		out.Write(text)
	}
	out.WriteByte('}')
	out.Bytes()[0] = '{' // in the place of the first comma
	return out.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Epoch) UnmarshalJSON(text []byte) error {
	type plain Epoch // without methods
	var p plain
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Type() == floatType {
			f.SetFloat(math.NaN())
		}
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*e = Epoch(p)
	return nil
}

func finite(v float64) bool { return Number(v).Finite() }
