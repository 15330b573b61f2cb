package config

import (
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/blas"
)

// Network names a kind of decoder or encoder.
type Network string

// The kinds of decoders and encoders.
const (
	AutoNetwork Network = "auto"
	MLP         Network = "mlp"
	Conv        Network = "conv" // residual convolutions; latents are small pictures
)

// Kinds lists all kinds of decoders and encoders.
var Kinds = []Network{AutoNetwork, MLP, Conv}

// Score names a kind of score network.
type Score string

// The kinds of score networks.
const (
	AutoScore        Score = "auto"
	ScoreMLP         Score = "mlp"
	ScoreUNet        Score = "unet"
	ScoreTransformer Score = "transformer"
)

// Scores lists all kinds of score networks.
var Scores = []Score{AutoScore, ScoreMLP, ScoreUNet, ScoreTransformer}

// Condition names what reads the conditions of images, such as their classes.
type Condition string

// What reads the conditions.
const (
	Unconditional Condition = "none"
	OfPrior       Condition = "prior" // the score network
	OfBoth        Condition = "both"  // decoder and encoder too
)

// Conditional reports whether networks read conditions.
func (o Options) Conditional() bool { return o.Condition == OfPrior || o.Condition == OfBoth }

// ConditionsOf lists all of these.
var ConditionsOf = []Condition{Unconditional, OfPrior, OfBoth}

// Largest accepted sizes.
const (
	maxWidth  = 1 << 16
	maxBlocks = 1 << 10
	maxLambda = 40 // exp(-40) is far above the smallest float32: alpha and sigma stay normal
)

func (o *Options) productKeys() []Key {
	return group("Networks",
		choiceKey(&o.Precision, "precision", blas.Float32, blas.Precisions,
			"what the networks' products round their factors to, and the order of their sums, "+
				"with the same bits on every CPU; parameters and sums are float32 in all"),
	)
}

func (o *Options) networkKeys() []Key {
	width := between(1, maxWidth)
	return group("Networks",
		choiceKey(&o.Network, "network", AutoNetwork, Kinds,
			"the networks that are auto below; auto: conv for colour pictures and from 32 x 32 up"),
		choiceKey(&o.Decoder, "decoder", AutoNetwork, Kinds, "the decoder"),
		choiceKey(&o.Score, "score", AutoScore, Scores,
			"the score network; auto: unet if the latents are small pictures"),
		choiceKey(&o.Encoder, "encoder", AutoNetwork, Kinds, "the encoder (variational methods)"),
		intKey(&o.Latent, "latent", 32, width, "dimensions",
			"latent dimensions d; with a conv decoder those of latent_shape"),
		intsKey(&o.LatentShape, "latent_shape", nil, latentShape, "pixels, pixels, channels",
			"height, width, channels of a conv decoder's latents; empty: a quarter (of signals "+
				"1, a 16th), 4 channels"),
		intsKey(&o.DecoderWidths, "decoder_widths", []int{256, 512}, widths, "units",
			"hidden widths of the decoder MLP, latent side first"),
		intsKey(&o.DecoderChannels, "decoder_channels", nil, widths, "channels",
			"channels of a conv decoder's stages, latent side first; empty: 64, the last 32"),
		intKey(&o.DecoderBlocks, "decoder_blocks", 1, between(1, maxBlocks), "blocks",
			"residual blocks of each stage of a conv decoder or encoder"),
		intsKey(&o.EncoderWidths, "encoder_widths", []int{512, 256}, widths, "units",
			"hidden widths of the encoder MLP, image side first (variational methods)"),
		intsKey(&o.EncoderChannels, "encoder_channels", nil, widths, "channels",
			"channels of a conv encoder's stages, latent side first; empty: decoder_channels"),
		intKey(&o.ScoreWidth, "score_width", 256, width, "units",
			"width of the score MLP (4 d or more), of a transformer, of a U-Net's embedding"),
		intKey(&o.ScoreBlocks, "score_blocks", 3, between(1, maxBlocks), "blocks",
			"residual blocks of the score MLP, blocks of a transformer"),
		intsKey(&o.UNetChannels, "unet_channels", nil, widths, "channels",
			"channels of a U-Net's levels, the finest first; empty: 64, and 128 for those below"),
		intKey(&o.UNetBlocks, "unet_blocks", 1, between(1, maxBlocks), "blocks",
			"residual blocks of each level of a U-Net, on each side"),
		intKey(&o.ScoreHeads, "score_heads", 4, between(0, maxBlocks), "heads",
			"attention heads of a U-Net (0: no attention) or transformer"),
		intKey(&o.ScoreFeatures, "score_features", 64, evenWidth, "features",
			"sinusoidal features of the log-SNR lambda (even)"),
		choiceKey(&o.Condition, "condition", Unconditional, ConditionsOf,
			"what reads the classes of the rows (labels): the prior, or decoder and encoder too"),
		intKey(&o.Classes, "classes", 0, between(0, maxWidth), "numbers",
			"classes, or numbers of another condition (0: the classes of the data)"),
		floatKey(&o.ConditionDrop, "condition_drop", 0.1, unitNotOne, "probability",
			"probability that a datapoint's condition is left out of a step, for guidance"),
		floatKey(&o.LambdaMin, "lambda_min", -10, logSNR, "log-SNR",
			"log-SNR of the noisy end of the diffusion"),
		floatKey(&o.LambdaMax, "lambda_max", 10, logSNR, "log-SNR",
			"log-SNR of the clean end of the diffusion"),
	)
}

var evenWidth = expect(fmt.Sprintf("an even integer in [2, %d]", maxWidth),
	func(n int) bool { return 2 <= n && n <= maxWidth && n%2 == 0 })

var latentShape = expect("nothing, or three integers, 1 or more: height, width, channels",
	func(list []int) bool {
		return len(list) == 0 || len(list) == 3 && widths.expected(list) == ""
	})

var widths = expect(fmt.Sprintf("integers in [1, %d]", maxWidth), func(list []int) bool {
	return !slices.ContainsFunc(list, func(n int) bool { return n < 1 || n > maxWidth })
})

var logSNR = expect(fmt.Sprintf("a number in [%d, %d]", -maxLambda, maxLambda),
	func(v float64) bool { return math.Abs(v) <= maxLambda })

func (o Options) checkNetworks(p *Problems) {
	p.Expect(!(o.LambdaMin >= o.LambdaMax), "lambda_min", o.LambdaMin,
		fmt.Sprintf("a number below lambda_max = %v", o.LambdaMax))
}
