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
	BLAS    []string // backends, the default of the build first, with version and core
	Go      string
}

// Describe returns the description of the machine and this process.
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
	for _, name := range blas.Available() {
		b, err := blas.Open(name)
		if err != nil {
			list = append(list, fmt.Sprintf("%s (%v)", name, err))
			continue
		}
		info := b.Info()
		about := info.Library
		if info.Core != "" {
			about += ", core " + info.Core
		}
		list = append(list, fmt.Sprintf("%s (%s)", name, about))
	}
	return list
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
