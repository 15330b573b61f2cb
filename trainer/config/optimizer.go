package config

import (
	"math"

	"github.com/plume-ml/plume/trainer/optim"
)

func (o *Options) optimizerKeys() []Key {
	return group("Optimizer",
		choiceKey(&o.Optimizer, "optimizer", optim.Adam, optim.Kinds, "optimiser of all networks"),
		floatKey(&o.LR, "lr", 2e-3, positive, "1", "learning rate at the start"),
		floatKey(&o.LREnd, "lr_end", 0.05, unitClosed, "multiple of lr",
			"learning rate at the end, as a fraction of lr"),
		choiceKey(&o.LRSchedule, "lr_schedule", optim.Cosine,
			[]optim.Schedule{optim.Constant, optim.Cosine}, "path of the learning rate"),
		floatKey(&o.ScoreLR, "score_lr", 1, nonNegative, "multiple of lr",
			"learning rate of the score network, as a multiple of lr"),
		floatKey(&o.DecoderDecay, "decoder_decay", 0, nonNegative, "multiple of lr",
			"weight decay of the decoder: the share lr*decoder_decay of its parameters goes "+
				"at each step (0: off)"),
		floatKey(&o.ParamNoise, "param_noise", 0, nonNegative, "multiple of ipla's",
			"noise on the parameters, as a multiple of ipla's sqrt(2 lr/(M N)) per step (0: none)"),
		floatKey(&o.ParamDrag, "param_drag", 0, unitNotOne, "share a step",
			"share of the parameters' momentum lost per step, in (0, 1), with mpgd's integrator "+
				"(0: the optimiser's own momentum)"),
		floatKey(&o.PriorShare, "prior_share", 0.5, unitNotOne, "share",
			"share of the training, at its end, in which two-stage methods fit the prior "+
				"to the frozen latents"),
		floatKey(&o.EMA, "ema", 0.999, unitNotOne, "decay a step",
			"decay of the moving average of the weights that sampling uses (0: off)"),
	)
}

func (o Options) checkOptimizer(p *Problems) {
	p.Expect(!(o.LR*o.DecoderDecay >= 1) || math.IsInf(o.DecoderDecay, 0),
		"decoder_decay", o.DecoderDecay, "less than 1/lr")
	p.Expect(!(o.ParamNoise > 0 && o.ParamDrag > 0), "param_noise", o.ParamNoise,
		"0 with param_drag above 0: its law holds without momentum")
}
