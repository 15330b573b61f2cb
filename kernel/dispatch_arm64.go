package kernel

import "github.com/plume-ml/plume/asm/neon"

// native is the path of assembly: every 64-bit ARM CPU has NEON with multiply-add.
func native() []*path { return []*path{&neonPath} }

var neonPath = path{
	name:             "neon",
	uniform:          neon.Uniform,
	normal:           neon.Normal,
	normalRows:       neon.NormalRows,
	noiseRows:        neon.NoiseRows,
	overdamped:       neon.Overdamped,
	underdamped:      neon.Underdamped,
	addBias:          neon.AddBias,
	addBiasSkip:      neon.AddBiasSkip,
	biasSiLU:         neon.BiasSiLU,
	embedSiLU:        neon.EmbedSiLU,
	skipSiLU:         neon.SkipSiLU,
	siluBackward:     neon.SiLUBackward,
	skipSiLUBackward: neon.SkipSiLUBackward,
	addRows:          neon.AddRows,
	sinusoids:        neon.Sinusoids,
	scoreResidual:    neon.ScoreResidual,
	dataResidual:     neon.DataResidual,
	squareNorms:      neon.SquareNorms,
	scaleRows:        neon.ScaleRows,
	combineRows:      neon.CombineRows,
	add:              neon.Add,
	axpy:             neon.Axpy,
	scale:            neon.Scale,
	extremes:         neon.Extremes,
	combine2:         neon.Combine2,
	combine3:         neon.Combine3,
	sgd:              neon.SGD,
	rmsprop:          neon.RMSprop,
	adam:             neon.Adam,
	ema:              neon.EMA,
	u8ToF32:          neon.U8ToF32,
	f32ToU8:          neon.F32ToU8,
	tileRows:         6,
	tileCols:         16,
	mulTile:          neon.MulTile,
	packRows:         neon.PackRows,
	turn:             neon.Turn,
	peakOperations:   2 * 24 * 4,
	peak:             neon.Peak,
}
