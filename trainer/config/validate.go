package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Problems collects what is wrong with a configuration, one error per key, so that a user
// sees all of it at once.
type Problems []error

// Expect records "key = value: expected ..." unless ok holds.
func (p *Problems) Expect(ok bool, key string, value any, expected string) {
	if ok {
		return
	}
	format := "%s = %v: expected %s"
	if _, isString := value.(string); isString {
		format = "%s = %q: expected %s"
	}
	*p = append(*p, fmt.Errorf(format, key, value, expected))
}

// Int expects an integer in [low, high].
func (p *Problems) Int(key string, value, low, high int) {
	p.Expect(low <= value && value <= high, key, value, fmt.Sprintf("an integer in [%d, %d]", low, high))
}

// Positive expects a number above zero that is finite as a float32.
func (p *Problems) Positive(key string, value float64) {
	p.Expect(value > 0 && !math.IsInf(value, 1), key, value, "a finite number above 0")
	p.float32(key, value)
}

// NonNegative expects a number of at least zero that is finite as a float32.
func (p *Problems) NonNegative(key string, value float64) {
	p.Expect(value >= 0 && !math.IsInf(value, 1), key, value, "a finite number, 0 or more")
	p.float32(key, value)
}

// float32 expects a finite number to stay finite in single precision, in which plume computes.
func (p *Problems) float32(key string, value float64) {
	overflows := value > math.MaxFloat32 && !math.IsInf(value, 1)
	p.Expect(!overflows, key, value, "at most 3.4e+38, the largest number in single precision")
}

// Choices expects each field of a struct that has a choices tag to hold one of them. Fields of
// embedded structs are left to those.
func (p *Problems) Choices(config any) {
	v := reflect.ValueOf(config)
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if choices := tag.Get("choices"); choices != "" {
			value := v.Field(i).String()
			p.Expect(slices.Contains(strings.Split(choices, ","), value), tag.Get("toml"), value,
				"one of "+strings.ReplaceAll(choices, ",", ", "))
		}
	}
}

// Err joins the problems, or is nil when there are none.
func (p Problems) Err() error { return errors.Join(p...) }

// Largest accepted sizes. They only keep a slip of the pen from exhausting the memory.
const (
	maxWidth     = 1 << 16
	maxBlocks    = 1 << 10
	maxParticles = 1 << 20
	maxRepeats   = 1 << 16
	maxSteps     = math.MaxInt32
	maxLambda    = 40 // exp(-40) is far above the smallest float32, so alpha and sigma stay normal
)

// Validate returns every value that is out of range, and every combination that contradicts
// itself.
func (o Options) Validate() Problems {
	var p Problems
	p.Choices(o)
	o.validateNetworks(&p)
	o.validateParticles(&p)
	o.validateOptimizer(&p)
	return p
}

func (o Options) validateNetworks(p *Problems) {
	p.Int("latent", o.Latent, 1, maxWidth)
	p.Positive("obs_noise", o.ObsNoise)
	p.Expect(!(o.ObsNoise > 0 && o.ObsNoise < 1e-19), "obs_noise", o.ObsNoise,
		"at least 1e-19: 1/obs_noise^2 overflows in single precision")
	p.widths("decoder_widths", o.DecoderWidths)
	p.widths("encoder_widths", o.EncoderWidths)
	p.Int("score_width", o.ScoreWidth, 1, maxWidth)
	p.Int("score_blocks", o.ScoreBlocks, 1, maxBlocks)
	p.Expect(o.ScoreFeatures >= 2 && o.ScoreFeatures <= maxWidth && o.ScoreFeatures%2 == 0,
		"score_features", o.ScoreFeatures, fmt.Sprintf("an even integer in [2, %d]", maxWidth))
	lambdaRange := fmt.Sprintf("a number in [%d, %d]", -maxLambda, maxLambda)
	p.Expect(math.Abs(o.LambdaMin) <= maxLambda, "lambda_min", o.LambdaMin, lambdaRange)
	p.Expect(math.Abs(o.LambdaMax) <= maxLambda, "lambda_max", o.LambdaMax, lambdaRange)
	p.Expect(!(o.LambdaMin >= o.LambdaMax), "lambda_min", o.LambdaMin,
		fmt.Sprintf("a number below lambda_max = %v", o.LambdaMax))
}

// widths expects hidden widths.
func (p *Problems) widths(key string, widths []int) {
	for _, width := range widths {
		if width < 1 || width > maxWidth {
			p.Expect(false, key, widths, fmt.Sprintf("integers in [1, %d]", maxWidth))
			return
		}
	}
}

func (o Options) validateParticles(p *Problems) {
	p.Int("particles", o.Particles, 1, maxParticles)
	p.Positive("step_size", o.StepSize)
	p.Positive("step_size_end", o.StepSizeEnd)
	p.Expect(o.Friction > 0 && o.Friction <= 1, "friction", o.Friction, "a number in (0, 1]")
	p.Expect(!(o.Dynamics == "exact" && o.Friction == 1), "friction", o.Friction, `a number below 1 with dynamics = "exact"`)
	p.Int("batch_repeats", o.BatchRepeats, 1, maxRepeats)
	p.Int("inner_steps", o.InnerSteps, 1, maxRepeats)
	p.Int("score_draws", o.ScoreDraws, 1, maxRepeats)
	p.NonNegative("scale_anchor", o.ScaleAnchor)
	p.NonNegative("drift_clip", o.DriftClip)
	p.Int("catch_up", o.CatchUp, 0, maxRepeats)
	p.Int("prior_warmup", o.PriorWarmup, 0, maxSteps)
	p.Expect(!(o.ControlVariate && o.PriorDrift == "score"), "control_variate", o.ControlVariate,
		`false with prior_drift = "score", whose drift has no noise to remove`)
}

func (o Options) validateOptimizer(p *Problems) {
	p.Positive("lr", o.LR)
	p.Expect(o.LREnd >= 0 && o.LREnd <= 1, "lr_end", o.LREnd, "a number in [0, 1]")
	p.NonNegative("score_lr", o.ScoreLR)
	p.NonNegative("decoder_decay", o.DecoderDecay)
	p.Expect(!(o.LR*o.DecoderDecay >= 1) || math.IsInf(o.DecoderDecay, 0), "decoder_decay", o.DecoderDecay, "less than 1/lr")
	p.NonNegative("param_noise", o.ParamNoise)
	p.Expect(o.ParamDrag >= 0 && o.ParamDrag < 1, "param_drag", o.ParamDrag, "a number in [0, 1)")
	p.Expect(!(o.ParamNoise > 0 && o.ParamDrag > 0), "param_noise", o.ParamNoise, "0 with param_drag above 0: its law holds without momentum")
	p.Expect(o.PriorShare >= 0 && o.PriorShare < 1, "prior_share", o.PriorShare, "a number in [0, 1)")
	p.Expect(o.EMA >= 0 && o.EMA < 1, "ema", o.EMA, "a number in [0, 1)")
}
