package record

import (
	"encoding/json"
	"math"
	"time"
)

// Epoch is one line of metrics.jsonl: the diagnostics of one epoch (ALGORITHM.md, section 4).
// Missing numbers are read as NaN. NaN, written as null, also marks numbers without a meaning in
// the run, such as the clipped share of a method that moves no particles.
type Epoch struct {
	Epoch int `json:"epoch"` // complete epochs, from 1
	Step  int `json:"step"`  // training steps taken

	// Time is when the record was made, in UTC, to the millisecond (RFC 3339 in JSON); zero in
	// records of earlier versions.
	Time time.Time `json:"time,omitzero"`

	Seconds           Number `json:"seconds"`            // training wall time so far
	StepSeconds       Number `json:"step_seconds"`       // of them, spent in training steps
	CheckpointSeconds Number `json:"checkpoint_seconds"` // of them, spent waiting for checkpoints

	// Evaluations of networks so far: passes of a row, forward and backward, through one network.
	Evaluations Number `json:"evaluations"`

	RowsPerS     Number `json:"rows_per_s"`     // rows per second
	ReconMSE     Number `json:"recon_mse"`      // mean squared pixel error of the moving particles
	PriorLoss    Number `json:"prior_loss"`     // nats per latent dimension
	LatentMS     Number `json:"latent_ms"`      // mean of z^2
	LatentStdMin Number `json:"latent_std_min"` // smallest standard deviation of a latent dimension
	LatentStdMax Number `json:"latent_std_max"` // largest
	Clipped      Number `json:"clipped"`        // share of rows whose drift was clipped
	Redrawn      Number `json:"redrawn"`        // share of particles that the guard drew anew

	// ExtraTemperature is h v / 2, or about h v / (2 friction) with velocities; v is the noise
	// variance of the prior drift as it is used, the mean of its draws.
	ExtraTemperature Number `json:"extra_temperature"`

	EnergyNats Number `json:"energy_nats"` // decoder NLL + l_theta, per datum
	// HeldOutNats is the energy per datum of a few held-out rows: decoder NLL + bound on -log p(z),
	// with the averaged weights, where the bound lacks what is known of its noise
	// (diffusion.Bound.SteadyLoss). HeldOutMSE is their mean squared pixel error. Their particles
	// follow the run, with some moves for every record; both are nil without held-out rows.
	HeldOutNats *Number `json:"heldout_nats,omitempty"`
	HeldOutMSE  *Number `json:"heldout_mse,omitempty"`

	StepSize    Number `json:"step_size"` // h
	LR          Number `json:"lr"`        // learning rate
	AnchorDrift Number `json:"anchor"`    // mean coefficient of the scale anchor

	// PCA64FD is the distance of samples from the training images (pca.PCA.Distance); nil if it
	// was not measured.
	PCA64FD *Number `json:"pca64_fd,omitempty"`
	// PCA64Floor is the distance of the held-out images; nil if it was not measured.
	PCA64Floor *Number `json:"pca64_fd_floor,omitempty"`
	EvalSolver string  `json:"eval_solver,omitempty"` // of these samples; "" if they need none

	// PriorByLambda is the part of PriorLoss that depends on the noise level; nil without levels.
	PriorByLambda *Levels `json:"prior_loss_by_lambda,omitempty"`

	// PhaseSeconds is where the workers' time in the steps went, by phase (package phase), in
	// seconds, summed over the workers; "idle" is that of workers without a task. Like RowsPerS,
	// ProductFLOPS and PeakShare it is of the epoch, or of what this session did of it.
	PhaseSeconds map[string]Number `json:"phase_seconds,omitempty"`

	// ProductFLOPS is the operations of the parameters' products per second of the steps, and
	// PeakShare what share that is of the rate that multiply-adds alone reached at the start of the
	// session, with as many workers.
	ProductFLOPS Number `json:"product_flop_per_s"`
	PeakShare    Number `json:"peak_share"`

	// ExchangeBytes is what the first of several ranks has sent to the others, by computation, and
	// ExchangeSeconds the time that its calls took, whether workers computed meanwhile or not; the
	// phase exchange is when they did not. nil with one rank.
	ExchangeBytes   *Number `json:"exchange_bytes,omitempty"`
	ExchangeSeconds *Number `json:"exchange_seconds,omitempty"`

	// Slowed is the factor by which divergences have reduced step size and learning rate; nil: 1.
	Slowed *Number `json:"divergence_factor,omitempty"`
}

// unknown returns a record whose numbers are all NaN.
func unknown() Epoch {
	nan := Number(math.NaN())
	return Epoch{
		Seconds:           nan,
		StepSeconds:       nan,
		CheckpointSeconds: nan,
		Evaluations:       nan,
		RowsPerS:          nan,
		ReconMSE:          nan,
		PriorLoss:         nan,
		LatentMS:          nan,
		LatentStdMin:      nan,
		LatentStdMax:      nan,
		Clipped:           nan,
		Redrawn:           nan,
		ExtraTemperature:  nan,
		EnergyNats:        nan,
		StepSize:          nan,
		LR:                nan,
		AnchorDrift:       nan,
		ProductFLOPS:      nan,
		PeakShare:         nan,
	}
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *Epoch) UnmarshalJSON(text []byte) error {
	type plain Epoch // without methods
	p := plain(unknown())
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*e = Epoch(p)
	return nil
}
