//go:build cgo && openblas

package blas

/*
#cgo LDFLAGS: -lopenblas
extern char *openblas_get_corename(void);
extern char *openblas_get_config(void);
extern void openblas_set_num_threads(int);
extern int openblas_get_num_threads(void);
*/
import "C"

import (
	"strings"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/netlib/blas/netlib"
)

// library is the backend of the library this build links, if it does.
var library = &backend{"openblas", netlib.Implementation{}, openblasInfo}

// init holds OpenBLAS to one thread before any product: every worker calls it from its own
// goroutine.
func init() { C.openblas_set_num_threads(1) }

// LendToGonum makes gonum's float64 linear algebra, which the metrics use, run on OpenBLAS. It
// changes gonum for the whole process, so only a program's main may decide it.
func LendToGonum() { blas64.Use(netlib.Implementation{}) }

func openblasInfo() LibraryInfo {
	config := C.GoString(C.openblas_get_config())
	name := "OpenBLAS"
	if f := strings.Fields(config); len(f) > 1 {
		name += " " + f[1]
	}
	return LibraryInfo{
		Backend: "openblas",
		Library: name,
		Core:    C.GoString(C.openblas_get_corename()),
		Threads: int(C.openblas_get_num_threads()),
	}
}
