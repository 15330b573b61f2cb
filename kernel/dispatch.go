package kernel

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// path is one implementation of every loop of the package. One call handles at most MaxRow
// elements, or one row. The exported function of the same name, or the one that calls it, says what
// it computes.
type path struct {
	name string

	uniform, normal func(dst []float32, first, seed uint64, step, stream uint32)
	normalRows      func(dst []float32, ids []uint64, d int, seed uint64, step, stream uint32)
	noiseRows       func(zl, eps, z, alpha, sigma []float32, ids []uint64, d int,
		seed uint64, step, stream uint32)

	// Of the moves, heat is what h is multiplied by under the root of the noise, keep the share of
	// the velocity that is kept, root the length beyond which the drift of a row is clipped, 0 for
	// no limit. They return how many rows were clipped.
	overdamped func(z, g, p, h []float32, ids []uint64, d int, anchor, root, heat float32,
		seed uint64, step, stream uint32) int
	underdamped func(z, u, g, p, h []float32, ids []uint64, d int,
		anchor, root, heat, keep float32, seed uint64, step, stream uint32) int
	// exact has a second stream, other, and its limit on H[i]*t, longest, in float64.
	exact func(z, u, g, p, h []float32, ids []uint64, d int, anchor float32, longest float64,
		keep, mean, drift, heat, rest float32, seed uint64, step, stream, other uint32) int

	siLUBackward    func(dx, s, dy []float32)
	siLU            func(y, x []float32)
	sumSiLU         func(y, s, h, e []float32)
	affineSiLU      func(y, s, x, a, b []float32)
	siLUBackwardAdd func(dx, s, dy []float32)
	sinusoids       func(dst, lambda, freq []float32)
	softmax         func(y, x []float32, scale float32, rows, d int)
	softmaxBackward func(dx, y, dy []float32, scale float32, rows, d int)
	affine          func(y, x, a, b []float32)
	affineGrad      func(dx, dy, x, a, b, c []float32)
	affineGradAdd   func(dx, dy, x, a, b, c []float32)
	// The next three add to what dst holds, rows in order: dst[j] += x[i*stride+j], and the sums of
	// ColDot and ColSquares over so many rows.
	addRows    func(dst, x []float32, stride, rows int)
	colDot     func(dst, x, y []float32, rows int)
	colSquares func(dst, x, m []float32, rows int)

	// Planes of dst begin dp apart, those of src sp.
	winogradInput, winogradOutput, winogradOutputAdd, winogradGrad func(dst []float32, dp, ldd int,
		src []float32, sp, lds, cols, rows int)

	scoreResidual func(e, sq, zl, r, eps, sigma []float32, d int)
	// phase rows of y before the first one belong to the first image
	dataResidual func(e, sq, y, x []float32, phase, repeat, d int, scale float32)
	squareNorms  func(dst, x []float32, ld, d int)
	dotRows      func(dst, x, y []float32, d int)
	scaleRows    func(x, a []float32, d int)
	combineRows  func(dst, x, a, y, b, z []float32, c float32, d int)

	add   func(dst, x []float32)
	axpy  func(y []float32, a float32, x []float32)
	clip  func(x []float32)
	scale func(x []float32, a float32)
	// the least and the greatest number, as integers in the same order (ordered); x is not empty
	extremes func(x []float32) (lo, hi int32)
	combine2 func(z []float32, a float32, x []float32, b float32)
	combine3 func(z []float32, a float32, x []float32, b float32, y []float32, c float32)
	sgd      func(p, g []float32, lr float32)
	rmsprop  func(p, v, g []float32, lr, mix, eps float32)
	// mix1 = 1 - beta1, mix2 = 1 - beta2, root = sqrt(c2)
	adam        func(p, m, v, g []float32, lr, mix1, mix2, eps, root float32)
	adamAverage func(p, m, v, avg, g []float32, ld, cols, rows int,
		lr, mix1, mix2, eps, root, keep, rate float32)
	ema     func(avg, p []float32, rate float32)
	u8ToF32 func(dst []float32, src []uint8)
	f32ToU8 func(dst []uint8, src []float32)

	tiles              TileKind
	tileRows, tileCols int
	mulTile            func(c []float32, ldc int, start []float32, lds int, a []float32,
		rs, cs, jump int, b []float32, rows, n, parts int)
	// mulTile for so many tiles of tileRows rows, at least one, as MulRows has them
	mulRows func(c []float32, ldc int, start []float32, lds int, a []float32,
		rs, cs, next int, b []float32, tiles, n int)
	groupRows int
	mulGroups func(c []float32, ldc int, start []float32, lds int, a []float32,
		rs, cs, jump int, b []float32, rows, n, parts int)
	packRows   func(dst []float32, width int, src []float32, ld, cols, rows int, alpha float32)
	roundRows  func(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32)
	roundRest  func(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32)
	roundPairs func(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32)
	// of sixteen rows of src; n is a multiple of 4
	transpose      func(dst []float32, width int, src []float32, ld, n int)
	peakOperations int // of a round
	peak           func(rounds int)
}

// EnvPath names the environment variable that narrows the choice of path.
const EnvPath = "PLUME_KERNEL"

// candidate is a path in assembly, and what it needs of the CPU and its operating system.
type candidate struct {
	path  *path
	tiles TileKind
	needs []cpuid.FeatureID
}

// paths are the implementations this CPU can run, best first.
var paths = supported(native)

func supported(candidates []candidate) (list []*path) {
	for _, c := range candidates {
		c.path.tiles = c.tiles
		if cpuid.CPU.Supports(c.needs...) {
			list = append(list, c.path)
		}
	}
	return append(list, &generic)
}

// Paths names the paths of this architecture, best first, whether or not this CPU can run them.
func Paths() (names []string) {
	for _, c := range native {
		names = append(names, c.path.name)
	}
	return append(names, generic.name)
}

var active, extended, chooseErr = choose(os.Getenv(EnvPath))

// choose picks the best path with the extensions that the machine has for it, or what was asked
// for: a path alone, or an extension with its path. What is not there falls back to the generic
// path, and Err reports it: a library must not panic in its initialisation.
func choose(want string) (*path, []*extension, error) {
	if want == "" {
		return paths[0], available(paths[0]), nil
	}
	if i := slices.IndexFunc(paths, func(p *path) bool { return p.name == want }); i >= 0 {
		return paths[i], nil, nil
	}
	for i := range extensions {
		if e := &extensions[i]; e.name == want {
			if err := e.lacks(); err != nil {
				return &generic, nil, fmt.Errorf("%s=%s: %w", EnvPath, want, err)
			}
			return e.path, []*extension{e}, nil
		}
	}
	return &generic, nil, fmt.Errorf("%s=%s: this build on this CPU has the kernel paths %s",
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
	Path       string   `json:"path"`       // the path in use
	Extensions []string `json:"extensions"` // of it for products of halves, in use
	Available  []string `json:"available"`  // the paths that could be, best first
	CPU        string   `json:"cpu"`        // brand name
	Features   []string `json:"features"`   // vector extensions of interest
}

// Info reports the kernel path in use and the CPU under it.
func Info() CPUInfo {
	var features []string
	for _, f := range []cpuid.FeatureID{
		cpuid.SSE42, cpuid.AVX, cpuid.AVX2, cpuid.FMA3, cpuid.AVX512F, cpuid.AVX512DQ,
		cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512BF16, cpuid.AMXTILE, cpuid.AMXBF16,
		cpuid.ASIMD, cpuid.SVE,
	} {
		if cpuid.CPU.Supports(f) {
			features = append(features, f.String())
		}
	}
	info := CPUInfo{
		Path: active.name, Available: pathNames(), CPU: cpuid.CPU.BrandName, Features: features,
	}
	for _, e := range extended {
		info.Extensions = append(info.Extensions, e.name)
	}
	return info
}

// Err is the reason why the path asked for by PLUME_KERNEL is not in use, or what PLUME_AMX should
// have been, or nil.
func Err() error { return errors.Join(chooseErr, errAMX) }
