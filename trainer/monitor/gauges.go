package monitor

import (
	"math"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/record"
)

// gauge is a number that is served once a run has begun. Its value is NaN while it is not known.
type gauge struct {
	name, help string
	unit       string // the end of the name; empty: none
	value      func(*state) float64
}

var gauges = append(append(ofSession, ofSteps...), ofEpochs...)

// ofSession are the numbers of the session.
var ofSession = []gauge{
	{"plume_planned_steps", "Parameter steps of the whole run.", "",
		start(func(s *trainer.Start) float64 { return float64(s.Steps) })},
	{"plume_planned_epochs", "Epochs of the whole run.", "",
		start(func(s *trainer.Start) float64 { return float64(s.Config.Epochs) })},
	{"plume_planned_memory_bytes", "Memory that the parts of the run add up to.", "bytes",
		start(func(s *trainer.Start) float64 { return float64(s.Info.Memory.Sum) })},
	{"plume_checkpoints_saved", "Checkpoints saved in this session.", "",
		func(n *state) float64 { return float64(n.checkpoints) }},
	{"plume_checkpoint_step", "Step of the newest checkpoint of this session.", "",
		func(n *state) float64 {
			if n.checkpoints == 0 {
				return math.NaN()
			}
			return float64(n.saved)
		}},
	{"plume_warnings", "Warnings in this session.", "",
		func(n *state) float64 { return float64(n.warnings) }},
	{"plume_ended", "1 once the run has ended as it should, else 0.", "",
		func(n *state) float64 {
			if n.ended {
				return 1
			}
			return 0
		}},
}

// ofSteps are the numbers of the newest step.
var ofSteps = []gauge{
	{"plume_step", "Parameter steps taken.", "",
		step(func(p *record.Progress) float64 { return float64(p.Step) })},
	{"plume_epoch", "Epoch under way, from 1.", "",
		step(func(p *record.Progress) float64 { return float64(p.Epoch) })},
	{"plume_rows_per_second", "Rows moved or trained on, in the epoch under way.", "",
		step(func(p *record.Progress) float64 { return float64(p.RowsPerS) })},
	{"plume_remaining_seconds", "Time until the last step, without reports.", "seconds",
		step(func(p *record.Progress) float64 {
			if p.ETA < 0 {
				return math.NaN()
			}
			return p.ETA.Seconds()
		})},
	{"plume_step_reconstruction_mse", "Mean squared error of the newest minibatch.", "",
		step(func(p *record.Progress) float64 { return float64(p.ReconMSE) })},
	{"plume_step_prior_loss_nats", "Prior loss of the newest minibatch, per latent dimension.",
		"nats", step(func(p *record.Progress) float64 { return float64(p.PriorLoss) })},
	{"plume_step_clipped_ratio", "Share of the newest moves whose drift was clipped.", "ratio",
		step(func(p *record.Progress) float64 { return float64(p.Clipped) })},
}

// ofEpochs are the numbers of the newest record in metrics.jsonl. All of its numbers are here.
var ofEpochs = []gauge{
	{"plume_epochs_done", "Complete epochs.", "",
		epoch(func(e *record.Epoch) record.Number { return record.Number(e.Epoch) })},
	{"plume_recorded_step", "Step of the newest record, which the numbers of epochs are of.", "",
		epoch(func(e *record.Epoch) record.Number { return record.Number(e.Step) })},
	{"plume_training_seconds", "Wall time of training and reports, over all sessions.", "seconds",
		epoch(func(e *record.Epoch) record.Number { return e.Seconds })},
	{"plume_training_steps_seconds", "Wall time spent in steps.", "seconds",
		epoch(func(e *record.Epoch) record.Number { return e.StepSeconds })},
	{"plume_checkpoint_wait_seconds", "Wall time spent waiting for checkpoints.", "seconds",
		epoch(func(e *record.Epoch) record.Number { return e.CheckpointSeconds })},
	{"plume_network_evaluations", "Passes of a row, forward and backward, through a network.", "",
		epoch(func(e *record.Epoch) record.Number { return e.Evaluations })},
	{"plume_product_operations_per_second",
		"Floating-point operations of the parameters' products, per second of the steps.", "",
		epoch(func(e *record.Epoch) record.Number { return e.ProductFLOPS })},
	{"plume_peak_share_ratio", "Share of what multiply-adds alone reach on this machine.", "ratio",
		epoch(func(e *record.Epoch) record.Number { return e.PeakShare })},
	{"plume_epoch_exchange_bytes",
		"Bytes that the first of several ranks sent in the newest epoch.", "bytes",
		epoch(func(e *record.Epoch) record.Number { return known(e.ExchangeBytes) })},
	{"plume_epoch_exchange_seconds",
		"Time of its calls to other ranks in the newest epoch, also while workers computed.",
		"seconds", epoch(func(e *record.Epoch) record.Number { return known(e.ExchangeSeconds) })},
	{"plume_epoch_rows_per_second", "Rows per second of the newest whole epoch.", "",
		epoch(func(e *record.Epoch) record.Number { return e.RowsPerS })},
	{"plume_reconstruction_mse", "Mean squared error of reconstructions.", "",
		epoch(func(e *record.Epoch) record.Number { return e.ReconMSE })},
	{"plume_prior_loss_nats", "Prior loss per latent dimension.", "nats",
		epoch(func(e *record.Epoch) record.Number { return e.PriorLoss })},
	{"plume_energy_nats", "Negative log-likelihood and prior loss, per datapoint.", "nats",
		epoch(func(e *record.Epoch) record.Number { return e.EnergyNats })},
	{"plume_heldout_energy_nats", "Energy of held-out rows that follow the run, per row.", "nats",
		epoch(func(e *record.Epoch) record.Number { return known(e.HeldOutNats) })},
	{"plume_heldout_mse", "Mean squared error of these held-out rows.", "",
		epoch(func(e *record.Epoch) record.Number { return known(e.HeldOutMSE) })},
	{"plume_latent_mean_square", "Mean of the squared latents.", "",
		epoch(func(e *record.Epoch) record.Number { return e.LatentMS })},
	{"plume_latent_std_min", "Smallest standard deviation of a latent dimension.", "",
		epoch(func(e *record.Epoch) record.Number { return e.LatentStdMin })},
	{"plume_latent_std_max", "Largest standard deviation of a latent dimension.", "",
		epoch(func(e *record.Epoch) record.Number { return e.LatentStdMax })},
	{"plume_clipped_ratio", "Share of moves whose drift was clipped.", "ratio",
		epoch(func(e *record.Epoch) record.Number { return e.Clipped })},
	{"plume_redrawn_ratio", "Share of particles that blew up and were drawn anew.", "ratio",
		epoch(func(e *record.Epoch) record.Number { return e.Redrawn })},
	{"plume_extra_temperature", "Temperature that the noise of the prior's drift adds to 1.", "",
		epoch(func(e *record.Epoch) record.Number { return e.ExtraTemperature })},
	{"plume_step_size", "Step size of the particles' moves.", "",
		epoch(func(e *record.Epoch) record.Number { return e.StepSize })},
	{"plume_learning_rate", "Learning rate.", "",
		epoch(func(e *record.Epoch) record.Number { return e.LR })},
	{"plume_anchor", "Mean coefficient of the scale anchor.", "",
		epoch(func(e *record.Epoch) record.Number { return e.AnchorDrift })},
	{"plume_divergence_factor",
		"Factor by which divergences have reduced step size and learning rate.", "",
		epoch(func(e *record.Epoch) record.Number {
			if e.Slowed == nil {
				return 1
			}
			return *e.Slowed
		})},
	{"plume_pca64_fd", "PCA-64 FD of samples, by the newest report.", "",
		func(n *state) float64 { return float64(known(n.fd)) }},
	{"plume_pca64_fd_floor", "PCA-64 FD of the held-out rows, for comparison.", "",
		func(n *state) float64 { return float64(known(n.floor)) }},
}

// known is NaN for nil.
func known(n *record.Number) record.Number {
	if n == nil {
		return record.Number(math.NaN())
	}
	return *n
}

func start(f func(*trainer.Start) float64) func(*state) float64 {
	return func(n *state) float64 { return f(n.start) }
}

func step(f func(*record.Progress) float64) func(*state) float64 {
	return func(n *state) float64 {
		if n.step == nil {
			return math.NaN()
		}
		return f(n.step)
	}
}

func epoch(f func(*record.Epoch) record.Number) func(*state) float64 {
	return func(n *state) float64 {
		if n.epoch == nil {
			return math.NaN()
		}
		return float64(f(n.epoch))
	}
}
