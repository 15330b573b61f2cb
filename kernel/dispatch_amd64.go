package kernel

import "github.com/klauspost/cpuid/v2"

// native is the paths in assembly of this architecture, best first.
var native = []candidate{
	{&avx512Path, MeasuredTiles, []cpuid.FeatureID{
		cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX2, cpuid.FMA3,
	}},
	{&avx2Path, MeasuredTiles, []cpuid.FeatureID{cpuid.AVX2, cpuid.FMA3}},
}
