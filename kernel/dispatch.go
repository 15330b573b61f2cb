package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// path is one implementation of every loop of the package.
type path struct {
	name string

	uniform       func(dst []float32, key Key, first uint64)
	normal        func(dst []float32, key Key, first uint64)
	noiseRows     func(zl, eps, z, alpha, sigma []float32, ids []uint64, d int, key Key)
	overdamped    func(m Move) int // by value: through a pointer it would escape to the heap
	underdamped   func(m Move) int
	addBias       func(x, b []float32)
	biasSiLU      func(y, x, b []float32)
	addSiLU       func(y, s, h, e []float32)
	siluBackward  func(dx, x, dy []float32)
	colSum        func(dst, x []float32, stride int, scale float32)
	sinusoids     func(dst, lambda, freq []float32)
	scoreResidual func(e, sq, zl, r, eps, sigma []float32, d int)
	dataResidual  func(e, sq, y, x []float32, first, repeat, d int, scale float32)
	squareNorms   func(dst, x []float32, d int)
	scaleRows     func(x, a []float32, d int)
	combineRows   func(dst, x, a, y, b, z []float32, c float32, d int)
	meanRows      func(dst, x []float32, repeat, d int)
	add           func(dst, x []float32)
	combine       func(z []float32, a float32, x []float32, b float32, y []float32, c float32)
	sgd           func(p, g []float32, lr float32)
	rmsprop       func(p, v, g []float32, lr, rho, eps float32)
	adam          func(p, m, v, g []float32, lr, b1, b2, eps, c1, c2 float32)
	ema           func(avg, p []float32, rate float32)
	allFinite     func(x []float32) bool
	u8ToF32       func(dst []float32, src []uint8)
	f32ToU8       func(dst []uint8, src []float32)
}

// EnvPath names the environment variable that narrows the choice of path.
const EnvPath = "PLUME_KERNEL"

// paths are the implementations this CPU can run, best first.
var paths = []*path{&generic}

var active, chooseErr = choose(os.Getenv(EnvPath))

// choose picks the best path, or the one asked for. An impossible wish falls back to the
// generic path, and Err reports it: a library must not panic in its initialisation.
func choose(want string) (*path, error) {
	if want == "" {
		return paths[0], nil
	}
	if i := slices.IndexFunc(paths, func(p *path) bool { return p.name == want }); i >= 0 {
		return paths[i], nil
	}
	return &generic, fmt.Errorf("%s=%s: this build on this CPU has the kernel paths %s",
		EnvPath, want, strings.Join(pathNames(), ", "))
}

func pathNames() []string {
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = p.name
	}
	return names
}

// CPUInfo says what the kernels run on.
type CPUInfo struct {
	Path      string   `json:"path"`      // the path in use
	Available []string `json:"available"` // the paths that could be, best first
	CPU       string   `json:"cpu"`       // brand name
	Features  []string `json:"features"`  // vector extensions of interest
}

// Info reports the kernel path in use and the CPU under it.
func Info() CPUInfo {
	var features []string
	for _, f := range []cpuid.FeatureID{cpuid.SSE42, cpuid.AVX, cpuid.AVX2, cpuid.FMA3, cpuid.AVX512F,
		cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512BF16, cpuid.ASIMD, cpuid.SVE} {
		if cpuid.CPU.Supports(f) {
			features = append(features, f.String())
		}
	}
	return CPUInfo{Path: active.name, Available: pathNames(), CPU: cpuid.CPU.BrandName, Features: features}
}

// Err is the reason why the path asked for by PLUME_KERNEL is not in use, or nil.
func Err() error { return chooseErr }
