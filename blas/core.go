package blas

import (
	"fmt"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// level orders vector widths, so that the core OpenBLAS chose can be compared with the CPU.
type level int

const (
	levelUnknown level = iota
	levelBase          // SSE
	levelAVX
	levelAVX2
	levelAVX512
)

func (l level) String() string {
	return [...]string{"unknown", "SSE", "AVX", "AVX2", "AVX-512"}[l]
}

func cpuLevel() level {
	switch {
	case cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512VL):
		return levelAVX512
	case cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3):
		return levelAVX2
	case cpuid.CPU.Supports(cpuid.AVX):
		return levelAVX
	}
	return levelUnknown
}

// coreLevel is the vector width of an x86 core name as openblas_get_corename prints it.
func coreLevel(core string) level {
	switch strings.ToLower(core) {
	case "skylakex", "cooperlake", "sapphirerapids":
		return levelAVX512
	case "haswell", "zen", "excavator":
		return levelAVX2
	case "sandybridge", "bulldozer", "piledriver", "steamroller":
		return levelAVX
	case "prescott",
		"core2",
		"penryn",
		"dunnington",
		"nehalem",
		"atom",
		"nano",
		"katmai",
		"coppermine",
		"northwood",
		"banias",
		"athlon",
		"opteron",
		"opteron_sse3",
		"barcelona",
		"bobcat":
		return levelBase
	}
	return levelUnknown
}

// usualCore is a core that OpenBLAS has had for long.
var usualCore = [...]string{
	levelAVX: "Sandybridge", levelAVX2: "Haswell", levelAVX512: "SkylakeX",
}

// coreWarning says why OpenBLAS runs below the CPU, or nothing. An unknown name is not judged.
func coreWarning(core, coretype, l2size string, cpu level) string {
	var w []string
	if l := coreLevel(core); l != levelUnknown && l < cpu {
		s := fmt.Sprintf("OpenBLAS runs its %s kernels (%v) on a CPU with %v", core, l, cpu)
		if coretype != "" {
			s += fmt.Sprintf("; unset OPENBLAS_CORETYPE=%s", coretype)
		} else {
			s += fmt.Sprintf(
				", which this version may not know; a newer one may, or set OPENBLAS_CORETYPE=%s",
				usualCore[cpu],
			)
		}
		w = append(w, s)
	}
	if l2size != "" {
		w = append(
			w,
			fmt.Sprintf(
				"OPENBLAS_L2_SIZE=%s overrides the block sizes OpenBLAS would choose; unset it",
				l2size,
			),
		)
	}
	return strings.Join(w, ". ")
}
