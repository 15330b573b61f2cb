//go:build cgo && openblas

package blas

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { row_major = 101, no_trans = 111, trans = 112 }; // of cblas.h

static void (*sgemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
static void (*sgemv)(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
static void (*sger)(int, int, int, float, const float *, int, const float *, int, float *, int);
static char *(*corename)(void), *(*config)(void);
static void (*set_num_threads)(int);
static int (*get_num_threads)(void);
static void *(*memory_alloc)(int);
static void (*memory_free)(void *);

// open_library loads the library, and returns NULL or what was wrong. One thread has to be asked
// for in the environment: once loaded, the library has a thread and a buffer for every core.
static const char *open_library(const char *name) {
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!library) return dlerror();
	struct { void **to; const char *name; } wanted[] = {
		{(void **)&sgemm, "cblas_sgemm"}, {(void **)&sgemv, "cblas_sgemv"}, {(void **)&sger, "cblas_sger"},
		{(void **)&corename, "openblas_get_corename"}, {(void **)&config, "openblas_get_config"},
		{(void **)&set_num_threads, "openblas_set_num_threads"}, {(void **)&get_num_threads, "openblas_get_num_threads"},
	};
	for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (!(*wanted[i].to = dlsym(library, wanted[i].name))) return dlerror();
	memory_alloc = (void *(*)(int))dlsym(library, "blas_memory_alloc"); // not part of its interface,
	memory_free = (void (*)(void *))dlsym(library, "blas_memory_free"); // so that it may be missing
	set_num_threads(1); // whatever the variant of the library made of the environment
	return 0;
}

// address_space tells whether so many bytes could be mapped now.
static int address_space(size_t bytes) {
	void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	if (p == MAP_FAILED) return 0;
	munmap(p, bytes);
	return 1;
}

// hold_buffers makes the library take its buffers for n calls at once, as far as each leaves spare bytes of
// address space, and returns how many it has.
static int hold_buffers(int n, size_t buffer, size_t spare) {
	if (!memory_alloc || !memory_free) return address_space(n * buffer + spare) ? n : 1;
	void **held = malloc(n * sizeof *held);
	int have = 0;
	while (have < n && address_space(buffer + spare)) held[have++] = memory_alloc(0);
	for (int i = 0; i < have; i++) memory_free(held[i]);
	free(held);
	return have;
}

static void call_sgemm(int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
	sgemm(row_major, ta ? trans : no_trans, tb ? trans : no_trans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
static void call_sgemv(int ta, int m, int n, float alpha, const float *a, int lda, const float *x, int incx, float beta, float *y, int incy) {
	sgemv(row_major, ta ? trans : no_trans, m, n, alpha, a, lda, x, incx, beta, y, incy);
}
static void call_sger(int m, int n, float alpha, const float *x, int incx, const float *y, int incy, float *a, int lda) {
	sger(row_major, m, n, alpha, x, incx, y, incy, a, lda);
}
static const char *library_core(void) { return corename(); }
static const char *library_config(void) { return config(); }
static int library_threads(void) { return get_num_threads(); }
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"gonum.org/v1/gonum/blas"
)

// library is OpenBLAS. It is loaded when it is chosen and not with the program: its constructor,
// which runs before main, reserves memory, starts threads, and never ends where the address space
// is too small for that.
var library = &backend{name: "openblas", routines: openBLAS{}, info: openblasInfo, load: sync.OnceValue(loadOpenBLAS)}

// libraryNames are tried in order. The first is the one whose interface does not change.
func libraryNames() []string {
	if runtime.GOOS == "darwin" { // Homebrew links it nowhere
		return []string{"libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib", "/usr/local/opt/openblas/lib/libopenblas.dylib"}
	}
	return []string{"libopenblas.so.0", "libopenblas.so"}
}

// OpenBLAS takes a buffer of address space for each call under way (BUFFER_SIZE of its
// common_*.h), keeps it for later calls, and asks for it for ever where there is none
// (blas_memory_alloc in its driver/others/memory.c). So they are taken at the start, and as many
// calls run at once as there are buffers.
const (
	bufferBytes = 128 << 20
	spareBytes  = 256 << 20 // of address space, for the stacks of threads and the heaps of Go and C
)

// calls holds a token for each buffer not in use; scarce says why it may hold calls up, or is
// empty.
var (
	calls  chan struct{}
	scarce string
)

func loadOpenBLAS() error {
	if C.address_space(bufferBytes+spareBytes) == 0 { // its constructor would not end
		return errNoBuffer
	}
	if err := openLibrary(); err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	buffers := int(C.hold_buffers(C.int(workers), bufferBytes, spareBytes))
	if buffers == 0 {
		return errNoBuffer
	}
	if buffers < workers {
		scarce = fmt.Sprintf("The address space has room for %d of %d OpenBLAS calls at once: the others wait. Raise its limit (ulimit -v)", buffers, workers)
	}
	calls = make(chan struct{}, buffers)
	for range buffers {
		calls <- struct{}{}
	}
	return nil
}

var errNoBuffer = fmt.Errorf("the address space is too small: OpenBLAS needs %d MiB for each call at a time, and the program %d MiB beside it. Raise its limit (ulimit -v), or choose another backend",
	bufferBytes>>20, spareBytes>>20)

func openLibrary() error {
	var problems []error
	for _, name := range libraryNames() {
		text := C.CString(name)
		problem := C.open_library(text)
		C.free(unsafe.Pointer(text))
		if problem == nil {
			return nil
		}
		problems = append(problems, errors.New(C.GoString(problem)))
	}
	return fmt.Errorf("OpenBLAS could not be loaded: %w", errors.Join(problems...))
}

// openBLAS calls the library.
type openBLAS struct{}

func transposed(t blas.Transpose) C.int {
	if t == blas.Trans {
		return 1
	}
	return 0
}

func first(x []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(x))) }

// Sgemm implements routines.
func (openBLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	<-calls
	defer func() { calls <- struct{}{} }()
	C.call_sgemm(transposed(tA), transposed(tB), C.int(m), C.int(n), C.int(k), C.float(alpha),
		first(a), C.int(lda), first(b), C.int(ldb), C.float(beta), first(c), C.int(ldc))
}

// Sgemv implements routines.
func (openBLAS) Sgemv(tA blas.Transpose, m, n int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	<-calls
	defer func() { calls <- struct{}{} }()
	C.call_sgemv(transposed(tA), C.int(m), C.int(n), C.float(alpha),
		first(a), C.int(lda), first(x), C.int(incX), C.float(beta), first(y), C.int(incY))
}

// Sger implements routines.
func (openBLAS) Sger(m, n int, alpha float32, x []float32, incX int, y []float32, incY int, a []float32, lda int) {
	<-calls
	defer func() { calls <- struct{}{} }()
	C.call_sger(C.int(m), C.int(n), C.float(alpha), first(x), C.int(incX), first(y), C.int(incY), first(a), C.int(lda))
}

func openblasInfo() LibraryInfo {
	name := "OpenBLAS"
	if f := strings.Fields(C.GoString(C.library_config())); len(f) > 1 {
		name += " " + f[1]
	}
	return LibraryInfo{
		Backend: "openblas",
		Library: name,
		Core:    C.GoString(C.library_core()),
		Threads: int(C.library_threads()),
		Warning: scarce,
	}
}
