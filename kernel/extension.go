package kernel

import (
	"errors"
	"slices"

	"github.com/klauspost/cpuid/v2"
)

// extension is machine code for products of halves beside a path, which has everything else.
type extension struct {
	name   string
	path   *path
	needs  []cpuid.FeatureID
	halves *Halves
	asks   func() error // permission of the system, once; nil: there is nothing to ask for
	pays   func() bool  // it is faster than the path alone; nil: always
}

var errNoCPU = errors.New("this CPU does not have it")

// lacks says why the machine cannot run the extension, or is nil.
func (e *extension) lacks() error {
	if !slices.Contains(paths, e.path) || !cpuid.CPU.Supports(e.needs...) {
		return errNoCPU
	}
	if e.asks != nil {
		return e.asks()
	}
	return nil
}

// available are the extensions of a path that the machine can run, and gains by.
func available(p *path) (list []*extension) {
	for i := range extensions {
		if e := &extensions[i]; e.path == p && e.lacks() == nil && (e.pays == nil || e.pays()) {
			list = append(list, e)
		}
	}
	return list
}
