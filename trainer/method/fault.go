package method

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDiverged is wrapped by the errors of a training with numbers that are no longer finite.
var ErrDiverged = errors.New("training diverged")

// Kind says what held the first number that was not finite.
type Kind string

// The kinds. All but the last are found within a step; the trainer finds BlownUp over an epoch.
const (
	InWeight     Kind = "weight"     // before the step, or after the optimiser's
	InParticle   Kind = "particle"   // position of a particle, or a latent drawn from an encoder
	InData       Kind = "data"       // a pixel, or a square of one
	InActivation Kind = "activation" // output of a layer
	InLoss       Kind = "loss"       // of a row
	InGradient   Kind = "gradient"   // by the output of a layer, or by a weight
	BlownUp      Kind = "blown up"   // too many particles were drawn anew after moves that blew up
)

// Fault is the first place, in the order of computation, where the numbers of a step stopped being
// finite. As an error it wraps ErrDiverged. Section 10 of trainer/ALGORITHM.md says which check
// catches what, and what the trainer does then.
type Fault struct {
	Kind      Kind   `json:"kind"`
	Step      int    `json:"step"`                // from 1; in a second stage, a step of it
	Network   string `json:"network,omitempty"`   // decoder, prior, encoder
	Layer     string `json:"layer,omitempty"`     // of the network
	Parameter string `json:"parameter,omitempty"` // of the network, with the indices of the element
	Datapoint *int   `json:"datapoint,omitempty"` // of the training images
	Particle  *int   `json:"particle,omitempty"`  // of the datapoint, or the draw
	Source    string `json:"source,omitempty"`    // file of the datapoint, set by the trainer
	Value     string `json:"value"`               // NaN, +Inf, -Inf, or one whose square overflows
	Try       string `json:"try"`                 // a remedy
}

// Unwrap returns ErrDiverged.
func (f *Fault) Unwrap() error { return ErrDiverged }

// Error says where the fault is, and what to try.
func (f *Fault) Error() string {
	return fmt.Sprintf("%v at step %d: %s; try %s", ErrDiverged, f.Step, f.Place(), f.Try)
}

// Curable reports whether smaller steps can help: not if the data are at fault.
func (f *Fault) Curable() bool { return f.Kind != InData }

// Place describes the place in words.
func (f *Fault) Place() string {
	var s strings.Builder
	switch f.Kind {
	case InWeight:
		fmt.Fprintf(&s, "the %s's %s is %s", f.Network, f.Parameter, f.Value)
	case InParticle:
		fmt.Fprintf(&s, "a coordinate of the latent is %s", f.Value)
	case BlownUp:
		const text = "more than %s of the epoch's moves blew up, and their particles were " +
			"drawn anew"
		fmt.Fprintf(&s, text, f.Value)
	case InData:
		fmt.Fprintf(&s, "a pixel is %s", f.Value)
	case InActivation:
		fmt.Fprintf(&s, "%s of the %s gives %s", f.Layer, f.Network, f.Value)
	case InLoss:
		fmt.Fprintf(&s, "the %s's loss is %s", f.Network, f.Value)
	case InGradient:
		if f.Parameter != "" {
			fmt.Fprintf(&s, "the gradient by the %s's %s is %s", f.Network, f.Parameter, f.Value)
		} else {
			fmt.Fprintf(&s, "the gradient by %s of the %s is %s", f.Layer, f.Network, f.Value)
		}
	}
	if f.Datapoint != nil {
		fmt.Fprintf(&s, " for datapoint %d", *f.Datapoint)
		if f.Source != "" {
			fmt.Fprintf(&s, " (%s)", f.Source)
		}
	}
	if f.Particle != nil {
		fmt.Fprintf(&s, ", particle %d", *f.Particle)
	}
	return s.String()
}

const spreadTo = "the particles have spread to a root mean square of %.3g"

// Remedies.
const (
	tryData      = "other data, or range if the stored values are not what they were taken for"
	trySpread    = "a scale_anchor, a smaller step_size or a drift_clip: " + spreadTo
	TryMoves     = "a smaller step_size, a larger obs_noise or a drift_clip"
	tryDecoder   = "a smaller lr or a larger obs_noise"
	tryPrior     = "a smaller lr or score_lr, or a scale_anchor"
	tryPriorOnly = "a smaller lr or score_lr"
)
