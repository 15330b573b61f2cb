package config

import (
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
)

// Options configure how a model is trained: the networks, the particles and the optimiser. The keys
// of the same names describe each field, with its unit, range and default; ALGORITHM.md, section 4,
// explains its effect.
type Options struct {
	// Networks.
	Precision       blas.Precision // of products
	Network         Network
	Decoder         Network
	Score           Score
	Encoder         Network
	Latent          int     // d
	LatentShape     []int   // height, width, channels
	ObsNoise        float64 // sigma_x
	Likelihood      string
	DecoderWidths   []int
	DecoderChannels []int
	DecoderBlocks   int
	EncoderWidths   []int
	EncoderChannels []int
	ScoreWidth      int
	ScoreBlocks     int
	UNetChannels    []int
	UNetBlocks      int
	ScoreHeads      int
	ScoreFeatures   int
	Condition       Condition
	Classes         int // numbers of a condition
	ConditionDrop   float64
	LambdaMin       float64
	LambdaMax       float64

	// Particles.
	Particles      int // N
	CloudInit      Start
	Dynamics       particle.Dynamics
	StepSize       float64 // h
	StepSizeEnd    float64
	StepSchedule   optim.Schedule
	Friction       float64
	BatchRepeats   int
	InnerSteps     int
	ScoreDraws     int
	ScaleAnchor    float64
	DriftClip      float64
	CatchUp        int
	PriorWarmup    int
	PriorWeight    diffusion.Weight
	PriorLevels    diffusion.Density
	PriorDrift     diffusion.Drift
	ControlVariate bool

	// Optimiser of all networks.
	Optimizer    optim.Kind
	LR           float64
	LREnd        float64
	LRSchedule   optim.Schedule
	ScoreLR      float64
	DecoderDecay float64
	ParamNoise   float64
	ParamDrag    float64
	PriorShare   float64
	EMA          float64
}

func (o *Options) keys() []Key {
	return slices.Concat(o.productKeys(), o.networkKeys(), o.likelihoodKeys(), o.particleKeys(),
		o.optimizerKeys())
}

// Validate returns every value that is out of range, and every contradictory combination.
func (o Options) Validate() Problems {
	var p Problems
	for _, key := range o.keys() {
		key.check(&p)
	}
	o.checkNetworks(&p)
	o.checkParticles(&p)
	o.checkOptimizer(&p)
	return p
}
