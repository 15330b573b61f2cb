package blas

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"gonum.org/v1/gonum/blas"

	"github.com/plume-ml/plume/kernel"
)

// Backend is one implementation of the products, which calls of any number of goroutines may use
// at once. Backends differ in the last bits. Those of this build are values of this package:
// [Open] and [Default] return them.
type Backend struct {
	name     string
	routines routines // of a library
	info     func() LibraryInfo
	load     func() error // makes it ready, once; nil: it always is
	order    *order       // of native products
}

// routines are the products as BLAS states them, row-major.
type routines interface {
	Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int,
		b []float32, ldb int, beta float32, c []float32, ldc int)
}

// Name is "native", "openblas" or "gonum".
func (b *Backend) Name() string { return b.name }

// CutFree reports whether the backend gives the same bits however the rows and columns of a product
// are cut into several products.
func (b *Backend) CutFree() bool { return b.order != nil }

func (b *Backend) ready() error {
	if b.load == nil {
		return nil
	}
	return b.load()
}

// backends are those of this build, the default first.
var backends = inOrder(library, kernel.Tiles())

// inOrder puts native first where it was measured (bench/README.md): with AVX-512 it is the
// fastest, with AVX2 as fast as OpenBLAS, and its bits are the same everywhere. Where it has tiles
// in assembly that were not measured, a library, if there is one, comes first, and where it has
// none, gonum too.
func inOrder(library *Backend, tiles kernel.TileKind) (list []*Backend) {
	switch tiles {
	case kernel.MeasuredTiles:
		list = []*Backend{&nativeBackend, library, &gonumBackend}
	case kernel.AssemblyTiles:
		list = []*Backend{library, &nativeBackend, &gonumBackend}
	default:
		list = []*Backend{library, &gonumBackend, &nativeBackend}
	}
	return slices.DeleteFunc(list, func(b *Backend) bool { return b == nil })
}

// choice is the default backend, and why it is not the first of this build, or nil.
type choice struct {
	backend    *Backend
	named      bool // to Use
	passedOver error
}

var current atomic.Pointer[choice]

func init() { current.Store(firstReady(backends)) }

// firstReady is the first backend that can be used. Plain Go always can.
func firstReady(list []*Backend) *choice {
	var c choice
	for _, c.backend = range list {
		err := c.backend.ready()
		if err == nil {
			break
		}
		c.passedOver = errors.Join(c.passedOver, err)
	}
	return &c
}

// Available names the backends of this build, the default of the build first.
func Available() []string {
	names := make([]string, len(backends))
	for i, b := range backends {
		names[i] = b.name
	}
	return names
}

// Default is the backend of those who do not choose one: the one that was named to [Use] last, or
// the first of this build that can be used. A factor or a network that has taken it keeps it.
func Default() *Backend { return current.Load().backend }

// Open returns the named backend, ready to be used. An unknown name is an error, and so is a
// library for which there is no address space.
func Open(name string) (*Backend, error) {
	i := slices.IndexFunc(backends, func(b *Backend) bool { return b.name == name })
	if i < 0 {
		return nil, fmt.Errorf("blas %q: this build has %s", name, strings.Join(Available(), ", "))
	}
	if err := backends[i].ready(); err != nil {
		return nil, fmt.Errorf("blas %q: %w", name, err)
	}
	return backends[i], nil
}

// Use makes the named backend the default from now on. An error, as of [Open], changes nothing.
func Use(name string) error {
	b, err := Open(name)
	if err != nil {
		return err
	}
	current.Store(&choice{backend: b, named: true})
	return nil
}

// LibraryInfo describes a backend.
type LibraryInfo struct {
	Backend string `json:"backend"` // its name
	Library string `json:"library"` // name and version; native is versioned with plume
	Core    string `json:"core"`    // the kernel set that OpenBLAS chose; empty otherwise
	Threads int    `json:"threads"` // threads per call: 1
	Warning string `json:"warning"` // why it is slower than this machine could be, or empty
}

// Info describes the default backend. Its warning also says why a better one is not the default.
func Info() LibraryInfo {
	c := current.Load()
	info := c.backend.Info()
	if c.passedOver != nil {
		info.Warning = fmt.Sprintf("%s is not used, which would be the default: %v",
			backends[0].name, c.passedOver)
	}
	return info
}

// Info describes the backend. Its warning also names the environment variable that holds OpenBLAS
// below what the CPU can do, when there is one.
func (b *Backend) Info() LibraryInfo {
	info := b.info()
	if info.Backend == "openblas" {
		slow := coreWarning(info.Core,
			os.Getenv("OPENBLAS_CORETYPE"), os.Getenv("OPENBLAS_L2_SIZE"), cpuLevel())
		info.Warning = strings.TrimPrefix(strings.TrimSuffix(info.Warning+". "+slow, ". "), ". ")
	}
	return info
}
