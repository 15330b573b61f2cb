//go:build cgo && openblas

package blas

/*
#cgo LDFLAGS: -lopenblas
#include <stdlib.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

extern char *openblas_get_corename(void);
extern char *openblas_get_config(void);
extern void openblas_set_num_threads(int);
extern int openblas_get_num_threads(void);

// Not part of the library's interface, so that they may be missing.
extern void *blas_memory_alloc(int) __attribute__((weak));
extern void blas_memory_free(void *) __attribute__((weak));

// one_heap keeps glibc from reserving 64 MiB of address space for every thread that allocates:
// plume's threads hardly do, and under ulimit -v the space is wanted.
__attribute__((constructor)) static void one_heap(void) {
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
#endif
}

// address_space reports whether that many bytes could be mapped now.
static int address_space(size_t bytes) {
	void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	if (p == MAP_FAILED) return 0;
	munmap(p, bytes);
	return 1;
}

// hold_buffers makes the library take its buffers for n calls at once, as far as each leaves
// spare bytes of address space, and returns how many it has.
static int hold_buffers(int n, size_t buffer, size_t spare) {
	if (!blas_memory_alloc || !blas_memory_free) return address_space(n * buffer + spare) ? n : 1;
	void **held = malloc(n * sizeof *held);
	int have = 0;
	while (have < n && address_space(buffer + spare)) held[have++] = blas_memory_alloc(0);
	for (int i = 0; i < have; i++) blas_memory_free(held[i]);
	free(held);
	return have;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/netlib/blas/netlib"
)

// library is OpenBLAS through gonum's netlib. Nothing of it is called before it is chosen.
var library = &Backend{
	name: "openblas", routines: openBLAS{}, info: openblasInfo, load: sync.OnceValue(loadOpenBLAS),
}

// OpenBLAS takes a buffer of address space for each call under way (BUFFER_SIZE of its
// common_*.h), keeps it for later calls, and asks for it for ever where there is none
// (blas_memory_alloc in its driver/others/memory.c). So they are taken when it is chosen, and as
// many calls run at once as there are buffers.
const bufferBytes = 128 << 20

// spareBytes is what must be left: for the heaps of Go and C, and for each processor the stacks of
// its threads.
func spareBytes() int { return 256<<20 + runtime.GOMAXPROCS(0)*(32<<20) }

// calls holds a token for each buffer not in use; scarce says why it may hold calls up, or is
// empty.
var (
	calls  chan struct{}
	scarce string
)

func loadOpenBLAS() error {
	spare := C.size_t(spareBytes())
	if C.address_space(bufferBytes+spare) == 0 {
		return errNoBuffer()
	}
	C.openblas_set_num_threads(1) // each worker calls it from its own goroutine
	workers := runtime.GOMAXPROCS(0)
	buffers := int(C.hold_buffers(C.int(workers), bufferBytes, spare))
	if buffers == 0 {
		return errNoBuffer()
	}
	if buffers < workers {
		scarce = fmt.Sprintf("The address space has room for %d of %d OpenBLAS calls at once: the "+
			"others wait. Raise its limit (ulimit -v)", buffers, workers)
	}
	calls = make(chan struct{}, buffers)
	for range buffers {
		calls <- struct{}{}
	}
	return nil
}

func errNoBuffer() error {
	return fmt.Errorf("the address space is too small: OpenBLAS needs %d MiB for each call at a "+
		"time, and the program %d MiB beside it. Raise its limit (ulimit -v), or choose another "+
		"backend", bufferBytes>>20, spareBytes()>>20)
}

// openBLAS is netlib's implementation, with no more calls at once than there are buffers.
type openBLAS struct{ netlib netlib.Implementation }

// Sgemm implements routines.
func (o openBLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int,
	b []float32, ldb int, beta float32, c []float32, ldc int) {
	<-calls
	defer func() { calls <- struct{}{} }()
	o.netlib.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func openblasInfo() LibraryInfo {
	name := "OpenBLAS"
	if f := strings.Fields(C.GoString(C.openblas_get_config())); len(f) > 1 {
		name += " " + f[1]
	}
	return LibraryInfo{
		Backend: "openblas",
		Library: name,
		Core:    C.GoString(C.openblas_get_corename()),
		Threads: int(C.openblas_get_num_threads()),
		Warning: scarce,
	}
}
