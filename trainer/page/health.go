package page

import (
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Verdict says whether a number is as it should be.
type Verdict string

// The verdicts.
const (
	Good  Verdict = "good"
	Watch Verdict = "watch"
	Act   Verdict = "act"
)

// Finding is a number about the health of a run, and what to do about it.
type Finding struct {
	Name, Value string
	Verdict     Verdict
	Do          string // a sentence
}

// Bounds of numbers that are as they should be.
const (
	mostClipped = 0.01 // share of moves, as training warns
	lowestMS    = 0.5
	highestMS   = 2.
	lowestStd   = 0.1
	warmest     = 0.2  // extra temperature, where 1 is that of the posterior
	mostStalled = 0.1  // share of the time that checkpoints take
	mostRise    = 1.1  // of a distance above the best one
	mostNear    = 0.05 // share of samples that may be suspiciously near to training rows,
	mostNearer  = 3.   // and as a multiple of the share of held-out rows
)

// health judges a run by its records, its description and its evaluation.
func (r *Run) health(records []record.Epoch, info run.Info) (all []Finding) {
	if n := len(info.Divergences); n > 0 {
		last := info.Divergences[n-1]
		all = append(all, Finding{"Divergences", fmt.Sprint(n), Act, fmt.Sprintf("The last was at "+
			"step %d (%s). Start with a smaller step_size or lr, a larger obs_noise, or a "+
			"drift_clip.", last.Step, last.What)})
	}
	if len(records) > 0 {
		last := records[len(records)-1]
		all = append(all, ofParticles(last)...)
		all = append(all, ofLatents(last)...)
		all = append(all, ofDistances(records)...)
		all = append(all, ofHeldOut(records)...)
	}
	all = append(all, ofLevels(r.Levels)...)
	all = append(all, ofCost(r.Cost)...)
	all = append(all, r.ofCopies()...)
	if s := info.Checkpoints; s != nil {
		f := Finding{"Time for checkpoints", percentage(s.Share), Good,
			"Checkpoints hardly hold up training."}
		if s.Share > mostStalled {
			f.Verdict, f.Do = Watch, "Checkpoints hold up training: save less often with a larger "+
				"checkpoint_every, or on a faster disk."
		}
		all = append(all, f)
	}
	return append(all, ofMemory(info.Memory)...)
}

func percentage(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// ofParticles judges how the particles moved in an epoch.
func ofParticles(e record.Epoch) (all []Finding) {
	if e.Clipped.Finite() {
		f := Finding{"Clipped moves", percentage(float64(e.Clipped)), Good,
			"The step size suits the decoder."}
		if e.Clipped > mostClipped {
			f.Verdict, f.Do = Act, "The step size is too large for this decoder: try a smaller "+
				"step_size or a larger obs_noise."
		}
		all = append(all, f)
	}
	if e.Redrawn.Finite() {
		f := Finding{"Redrawn particles", percentage(float64(e.Redrawn)), Good,
			"No particle blew up in the last epoch."}
		if e.Redrawn > 0 {
			f.Verdict, f.Do = Act, "Particles blow up and lose what they have learnt: a smaller "+
				"step_size or a drift_clip keeps them."
		}
		all = append(all, f)
	}
	if t := e.ExtraTemperature; t.Finite() {
		f := Finding{"Extra temperature", number(t), Good,
			"The noise of the prior's drift hardly warms the particles."}
		if t > warmest {
			f.Verdict, f.Do = Watch, "The noise of the prior's drift widens the cloud: a smaller "+
				"step_size_end, more score_draws or control_variate lower it."
		}
		all = append(all, f)
	}
	return all
}

// ofLatents judges the scale of the latents.
func ofLatents(e record.Epoch) (all []Finding) {
	if ms := e.LatentMS; ms.Finite() {
		f := Finding{"Mean z²", number(ms), Good, "The latents have the scale that noise levels " +
			"are made for."}
		switch {
		case ms > highestMS:
			f.Verdict, f.Do = Watch, "The cloud has grown: a larger scale_anchor or a smaller "+
				"step_size keeps its scale near 1."
		case ms < lowestMS:
			f.Verdict, f.Do = Watch, "The latents are small: fewer of them (latent) or a smaller "+
				"obs_noise makes more use of each."
		}
		all = append(all, f)
	}
	if low := e.LatentStdMin; low.Finite() {
		value := number(low) + " to " + number(e.LatentStdMax)
		f := Finding{"Spread of the latent dimensions", value, Good,
			"All latent dimensions are in use."}
		if low < lowestStd {
			f.Verdict, f.Do = Watch, "A latent dimension has hardly any spread: as good a model "+
				"may need fewer (latent)."
		}
		all = append(all, f)
	}
	return all
}

// ofDistances judges whether samples still get better.
func ofDistances(records []record.Epoch) []Finding {
	best, last, at := math.Inf(1), math.NaN(), 0
	for _, e := range records {
		if e.PCA64FD == nil || !e.PCA64FD.Finite() {
			continue
		}
		if last = float64(*e.PCA64FD); last < best {
			best, at = last, e.Epoch
		}
	}
	if math.IsNaN(last) {
		return nil
	}
	f := Finding{"PCA-64 FD, last and best", number(record.Number(last)) + ", " +
		number(record.Number(best)), Good, "The newest samples are about the best so far."}
	if last > mostRise*best {
		f.Verdict, f.Do = Watch, fmt.Sprintf("Samples were better at epoch %d: train for fewer "+
			"epochs, or let the learning rate end lower (lr_end).", at)
	}
	return []Finding{f}
}

// ofHeldOut judges whether held-out rows are still explained better.
func ofHeldOut(records []record.Epoch) []Finding {
	_, errors := record.Curve(records, "step", "heldout_mse")
	if len(errors) == 0 {
		return nil
	}
	best, last := slices.Min(errors), errors[len(errors)-1]
	f := Finding{"Error of held-out rows, last and best", number(record.Number(last)) + ", " +
		number(record.Number(best)), Good, "The run does not learn its training rows by heart."}
	if last > mostRise*best {
		f.Verdict, f.Do = Watch, "The run learns its training rows by heart: train for fewer "+
			"epochs, on more data, or with a larger obs_noise or decoder_decay."
	}
	return []Finding{f}
}

// ofCopies judges whether samples are copies of training rows, if that was measured.
func (r *Run) ofCopies() []Finding {
	if r.Quality == nil {
		return nil
	}
	share, found := r.Quality.Metric("nearer_1")
	if !found || !share.Low.Finite() {
		return nil
	}
	f := Finding{"Nearness to training rows", percentage(float64(share.Value)), Good, "Samples " +
		"are no nearer to training rows than held-out rows are."}
	if float64(share.Low) > max(mostNear, mostNearer*float64(share.Floor)) {
		f.Verdict, f.Do = Act, "Samples may be copies of training rows: train for fewer epochs, "+
			"on more data, or with a larger obs_noise or decoder_decay."
	}
	return []Finding{f}
}

// ofMemory judges whether the run kept to the memory that was foreseen.
func ofMemory(m *run.Memory) []Finding {
	if m == nil || m.Peak == 0 {
		return nil
	}
	f := Finding{"Peak of memory", fmt.Sprintf("%.2f times what was foreseen",
		float64(m.Peak)/float64(m.Sum)), Good, "The run kept to the memory that was foreseen."}
	if m.Exceeded() {
		f.Verdict, f.Do = Watch, "The run took more memory than foreseen: leave some room on a "+
			"machine that has little more."
	}
	return []Finding{f}
}
