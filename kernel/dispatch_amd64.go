package kernel

import "github.com/klauspost/cpuid/v2"

// native is the paths in assembly of this architecture, best first.
var native = []candidate{
	{&avx512Path, MeasuredTiles, []cpuid.FeatureID{
		cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX2, cpuid.FMA3,
	}},
	{&avx2Path, MeasuredTiles, []cpuid.FeatureID{cpuid.AVX2, cpuid.FMA3}},
}

// extensions are those of this architecture.
var extensions = []extension{
	{"amx", &avx512Path, []cpuid.FeatureID{
		cpuid.AMXTILE, cpuid.AMXBF16, cpuid.OSXSAVE, cpuid.AVX512BF16,
	}, &amxHalves, permitted, nil},
	{
		"avx512bf16", &avx512Path, []cpuid.FeatureID{cpuid.AVX512BF16}, &avx512bf16Halves, nil,
		pairsPay,
	},
}

// pairsPay: AMD's processors have twice the rate of float32 in VDPBF16PS, Intel's half of it.
func pairsPay() bool { return cpuid.CPU.VendorID == cpuid.AMD }

// packers have what lays factors out for all of them, on every CPU that has one of them.
var packers = []extension{
	{"avx512half", &avx512Path, []cpuid.FeatureID{cpuid.AVX512BF16}, nil, nil, nil},
}

// packs reports whether the first of them is used.
func packs() bool { return active == packers[0].path && packer }

var packer = cpuid.CPU.Supports(packers[0].needs...)
