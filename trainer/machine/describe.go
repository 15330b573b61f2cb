// Package machine describes the machine for benchmarks, and measures its rates: multiply-adds,
// memory bandwidth, normals and matrix products.
package machine

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/pool"
)

// Description is what the speed of plume depends on. Numbers from different CPUs or kernels do not
// compare.
type Description struct {
	CPU     string   // model, as it names itself
	Cores   int      // that this process may use
	Kernels string   // path of package kernel
	BLAS    []string // backends, the default first, with version and core
	Go      string
}

// Describe returns the description of the machine and this process. No products may be computed
// meanwhile, since it selects each backend in turn.
func Describe() Description {
	return Description{
		CPU:     model(kernel.Info().CPU, cpuid.CPU.Family, cpuid.CPU.Model),
		Cores:   pool.DefaultWorkers(),
		Kernels: kernel.Info().Path,
		BLAS:    backends(),
		Go:      runtime.Version(),
	}
}

// model names a CPU with its family and model numbers, since a brand may cover several generations.
func model(brand string, family, number int) string {
	name := cmp.Or(strings.TrimSpace(brand), runtime.GOARCH)
	if family != 0 {
		name += fmt.Sprintf(", family %d, model %d", family, number)
	}
	return name
}

func backends() (list []string) {
	each(func(name string) error {
		about := blas.Info().Library
		if core := blas.Info().Core; core != "" {
			about += ", core " + core
		}
		list = append(list, fmt.Sprintf("%s (%s)", name, about))
		return nil
	})
	return list
}

// each calls do with every backend selected, until one fails, and restores the present one.
func each(do func(name string) error) error {
	before := blas.Info().Backend
	defer use(before)
	for _, name := range blas.Available() {
		use(name)
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}

// use selects a backend that blas.Available listed.
func use(name string) {
	if err := blas.Use(name); err != nil {
		panic("machine: " + err.Error())
	}
}

// Keys of the configuration lines that decide whether results compare.
const (
	KeyCPU     = "cpu-model"
	KeyKernels = "kernels"
	KeyPeak    = "fma-peak" // FMAPeak of one worker
)

// WriteConfig writes the description as configuration lines of the Go benchmark format.
func (d Description) WriteConfig(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %s\ncores: %d\n%s: %s\nblas: %s\ngo: %s\n",
		KeyCPU, d.CPU, d.Cores, KeyKernels, d.Kernels, strings.Join(d.BLAS, "; "), d.Go)
	return err
}

var (
	trademarks = regexp.MustCompile(`\((R|TM|r|tm)\)`)
	notInName  = regexp.MustCompile(`[^a-z0-9]+`)
)

// Name is a file name, without extension, for results of this CPU with these kernels.
func (d Description) Name() string {
	name := trademarks.ReplaceAllString(d.CPU, "") + " " + d.Kernels
	return strings.Trim(notInName.ReplaceAllString(strings.ToLower(name), "-"), "-")
}
