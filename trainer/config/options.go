package config

// Options configure how a model is trained: the networks, the particles and the optimiser.
// Every field is a key of the configuration file (its toml tag), a flag and an environment
// variable; the help tag is what users read. ALGORITHM.md, section 4, says what each does.
type Options struct {
	// Networks.
	Latent        int     `toml:"latent" group:"Networks" help:"latent dimensions d"`
	ObsNoise      float64 `toml:"obs_noise" help:"sigma_x, standard deviation of a pixel given its latent (pixels span [-1, 1])"`
	DecoderWidths []int   `toml:"decoder_widths" help:"hidden widths of the decoder MLP, latent side first"`
	EncoderWidths []int   `toml:"encoder_widths" help:"hidden widths of the encoder MLP, image side first (variational methods)"`
	ScoreWidth    int     `toml:"score_width" help:"width of the score network (4 d or more)"`
	ScoreBlocks   int     `toml:"score_blocks" help:"residual blocks of the score network"`
	ScoreFeatures int     `toml:"score_features" help:"sinusoidal features of the log-SNR lambda (even)"`
	LambdaMin     float64 `toml:"lambda_min" help:"log-SNR of the noisy end of the diffusion"`
	LambdaMax     float64 `toml:"lambda_max" help:"log-SNR of the clean end of the diffusion"`

	// Particles.
	Particles      int     `toml:"particles" group:"Particles" help:"latent particles N per datapoint"`
	Dynamics       string  `toml:"dynamics" help:"overdamped (the plain gradient flow), underdamped (with momentum), or exact (the exact transition of the underdamped diffusion)" choices:"overdamped,underdamped,exact"`
	StepSize       float64 `toml:"step_size" help:"Langevin step size h at the start"`
	StepSizeEnd    float64 `toml:"step_size_end" help:"Langevin step size at the end of the schedule"`
	StepSchedule   string  `toml:"step_schedule" help:"path of h from step_size to step_size_end" choices:"constant,geometric,cosine"`
	Friction       float64 `toml:"friction" help:"share of the velocity lost per move, in (0, 1] (underdamped); in (0, 1) (exact)"`
	BatchRepeats   int     `toml:"batch_repeats" help:"whole training steps taken in a row on each minibatch"`
	InnerSteps     int     `toml:"inner_steps" help:"particle moves per parameter step"`
	ScoreDraws     int     `toml:"score_draws" help:"(lambda, eps) draws per particle and move, averaged"`
	ScaleAnchor    float64 `toml:"scale_anchor" help:"strength a of the drift a max(0, mean z^2 - 1) z that keeps the cloud's scale (0: off)"`
	DriftClip      float64 `toml:"drift_clip" help:"largest root mean square of h*drift over a particle (0: off)"`
	CatchUp        int     `toml:"catch_up" help:"a particle whose datapoint was not visited for k steps moves with step min(k, catch_up)*h (0: off)"`
	PriorWarmup    int     `toml:"prior_warmup" help:"first steps during which the prior is held at N(0, I)"`
	PriorWeight    string  `toml:"prior_weight" help:"weight of the noise levels in the score network's loss" choices:"elbo,simple"`
	PriorDrift     string  `toml:"prior_drift" help:"what the particles feel: the bound's gradient, or the learned score at lambda_max" choices:"bound,score"`
	ControlVariate bool    `toml:"control_variate" help:"remove the part of the prior drift's noise that is known in closed form"`

	// Optimiser of all networks.
	Optimizer    string  `toml:"optimizer" group:"Optimizer" help:"optimiser of all networks" choices:"adam,rmsprop,sgd"`
	LR           float64 `toml:"lr" help:"learning rate at the start"`
	LREnd        float64 `toml:"lr_end" help:"learning rate at the end, as a fraction of lr"`
	LRSchedule   string  `toml:"lr_schedule" help:"path of the learning rate" choices:"constant,cosine"`
	ScoreLR      float64 `toml:"score_lr" help:"learning rate of the score network, as a multiple of lr"`
	DecoderDecay float64 `toml:"decoder_decay" help:"weight decay of the decoder: the share lr*decoder_decay of its parameters goes at each step (0: off)"`
	ParamNoise   float64 `toml:"param_noise" help:"noise on the parameters, as a multiple of ipla's sqrt(2 lr/(M N)) per step (0: none)"`
	ParamDrag    float64 `toml:"param_drag" help:"share of the parameters' momentum lost per step, in (0, 1), with mpgd's integrator (0: the optimiser's own momentum)"`
	PriorShare   float64 `toml:"prior_share" help:"share of the training, at its end, in which two-stage methods fit the prior to the frozen latents"`
	EMA          float64 `toml:"ema" help:"decay of the moving average of the weights that sampling uses (0: off)"`
}
