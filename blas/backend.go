package blas

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/blas"

	"github.com/plume-ml/plume/kernel"
)

// backend is one implementation of the products.
type backend struct {
	name string
	routines
	info func() LibraryInfo
	load func() error // makes it ready, once; nil: it always is
}

func (b *backend) ready() error {
	if b.load == nil {
		return nil
	}
	return b.load()
}

// routines are the products as BLAS states them, row-major.
type routines interface {
	Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int)
}

// backends are those of this build, the default first.
var backends = inOrder(library, kernel.Info().Path)

// inOrder puts native first where it was measured (bench/README.md): with AVX-512 it is the fastest, with AVX2 as fast as
// OpenBLAS, and its bits are the same everywhere. On arm64, where it never was, a library, if there is one, comes
// first, and native last where it has no tiles in assembly.
func inOrder(library *backend, path string) (list []*backend) {
	switch path {
	case "avx512", "avx2":
		list = []*backend{&nativeBackend, library, &gonumBackend}
	case "neon":
		list = []*backend{library, &nativeBackend, &gonumBackend}
	default:
		list = []*backend{library, &gonumBackend, &nativeBackend}
	}
	return slices.DeleteFunc(list, func(b *backend) bool { return b == nil })
}

// active computes all products; passedOver says why it is not the default of this build, or is nil.
var active, passedOver = firstReady(backends)

// firstReady is the first backend that can be used. Plain Go always can.
func firstReady(list []*backend) (b *backend, passedOver error) {
	for _, b = range list {
		err := b.ready()
		if err == nil {
			return b, passedOver
		}
		passedOver = errors.Join(passedOver, err)
	}
	return b, passedOver
}

// Available names the backends in this build, the default first.
func Available() []string {
	names := make([]string, len(backends))
	for i, b := range backends {
		names[i] = b.name
	}
	return names
}

// Use makes the named backend compute all products from now on. It may not be called while
// products are computed. Other backends give other last bits. A library
// for which there is no address space is an error, and changes nothing.
func Use(name string) error {
	i := slices.IndexFunc(backends, func(b *backend) bool { return b.name == name })
	if i < 0 {
		return fmt.Errorf("blas %q: this build has %s", name, strings.Join(Available(), ", "))
	}
	if err := backends[i].ready(); err != nil {
		return fmt.Errorf("blas %q: %w", name, err)
	}
	active, passedOver = backends[i], nil
	return nil
}

// CutFree tells whether the backend in use gives the same bits however the rows and columns of a product
// are cut into several products.
func CutFree() bool { return active == &nativeBackend }
