package kernel

import (
	"github.com/klauspost/cpuid/v2"

	"github.com/plume-ml/plume/asm/avx2"
	"github.com/plume-ml/plume/asm/avx512"
)

// native is the paths of assembly that this CPU and its operating system support, best first.
func native() (ps []*path) {
	if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX2, cpuid.FMA3) {
		ps = append(ps, &avx512Path)
	}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		ps = append(ps, &avx2Path)
	}
	return ps
}

var avx512Path = path{
	name:             "avx512",
	uniform:          avx512.Uniform,
	normal:           avx512.Normal,
	normalRows:       avx512.NormalRows,
	noiseRows:        avx512.NoiseRows,
	overdamped:       avx512.Overdamped,
	underdamped:      avx512.Underdamped,
	exact:            avx512.Exact,
	addBias:          avx512.AddBias,
	addBiasSkip:      avx512.AddBiasSkip,
	biasSiLU:         avx512.BiasSiLU,
	embedSiLU:        avx512.EmbedSiLU,
	skipSiLU:         avx512.SkipSiLU,
	siluBackward:     avx512.SiLUBackward,
	skipSiLUBackward: avx512.SkipSiLUBackward,
	addRows:          avx512.AddRows,
	sinusoids:        avx512.Sinusoids,
	scoreResidual:    avx512.ScoreResidual,
	dataResidual:     avx512.DataResidual,
	squareNorms:      avx512.SquareNorms,
	scaleRows:        avx512.ScaleRows,
	combineRows:      avx512.CombineRows,
	add:              avx512.Add,
	axpy:             avx512.Axpy,
	scale:            avx512.Scale,
	extremes:         avx512.Extremes,
	combine2:         avx512.Combine2,
	combine3:         avx512.Combine3,
	sgd:              avx512.SGD,
	rmsprop:          avx512.RMSprop,
	adam:             avx512.Adam,
	ema:              avx512.EMA,
	u8ToF32:          avx512.U8ToF32,
	f32ToU8:          avx512.F32ToU8,
	tiles:            MeasuredTiles,
	tileRows:         14,
	tileCols:         32,
	mulTile:          avx512.MulTile,
	packRows:         avx512.PackRows,
	turn:             avx512.Turn,
	peakOperations:   2 * 28 * 16,
	peak:             avx512.Peak,
}

var avx2Path = path{
	name:             "avx2",
	uniform:          avx2.Uniform,
	normal:           avx2.Normal,
	normalRows:       avx2.NormalRows,
	noiseRows:        avx2.NoiseRows,
	overdamped:       avx2.Overdamped,
	underdamped:      avx2.Underdamped,
	exact:            avx2.Exact,
	addBias:          avx2.AddBias,
	addBiasSkip:      avx2.AddBiasSkip,
	biasSiLU:         avx2.BiasSiLU,
	embedSiLU:        avx2.EmbedSiLU,
	skipSiLU:         avx2.SkipSiLU,
	siluBackward:     avx2.SiLUBackward,
	skipSiLUBackward: avx2.SkipSiLUBackward,
	addRows:          avx2.AddRows,
	sinusoids:        avx2.Sinusoids,
	scoreResidual:    avx2.ScoreResidual,
	dataResidual:     avx2.DataResidual,
	squareNorms:      avx2.SquareNorms,
	scaleRows:        avx2.ScaleRows,
	combineRows:      avx2.CombineRows,
	add:              avx2.Add,
	axpy:             avx2.Axpy,
	scale:            avx2.Scale,
	extremes:         avx2.Extremes,
	combine2:         avx2.Combine2,
	combine3:         avx2.Combine3,
	sgd:              avx2.SGD,
	rmsprop:          avx2.RMSprop,
	adam:             avx2.Adam,
	ema:              avx2.EMA,
	u8ToF32:          avx2.U8ToF32,
	f32ToU8:          avx2.F32ToU8,
	tiles:            MeasuredTiles,
	tileRows:         6,
	tileCols:         16,
	mulTile:          avx2.MulTile,
	packRows:         avx2.PackRows,
	turn:             avx2.Turn,
	peakOperations:   2 * 12 * 8,
	peak:             avx2.Peak,
}
