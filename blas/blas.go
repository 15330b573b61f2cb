// Package blas is the matrix products of plume: row-major float32, each call on one thread. It is the
// only package that uses cgo.
//
// Three backends compute them, chosen at run time among those that were built in: native, our own products
// over the tiles of package kernel; openblas, OpenBLAS through gonum's netlib, in builds with the
// tag openblas and cgo, and not called before it is chosen; gonum, in pure Go. Callers run many
// products at once from their own goroutines, so that OpenBLAS is held to one thread.
package blas

import (
	"fmt"
	"os"
	"strings"

	"gonum.org/v1/gonum/blas"
)

// Matrix is a view of Rows x Cols float32, row i starting at Data[i*Stride].
type Matrix struct {
	Rows, Cols int
	Stride     int
	Data       []float32
}

// Dense is the matrix of rows x cols that fills data.
func Dense(data []float32, rows, cols int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Stride: max(cols, 1), Data: data[:rows*cols]}
}

// Slice is the view of columns lo to hi (exclusive).
func (m Matrix) Slice(lo, hi int) Matrix {
	return Matrix{Rows: m.Rows, Cols: hi - lo, Stride: m.Stride, Data: m.Data[min(lo, len(m.Data)):]}
}

func (m Matrix) valid() bool {
	return m.Rows >= 0 && m.Cols >= 0 && m.Stride >= max(m.Cols, 1) &&
		(m.Rows == 0 || m.Cols == 0 || len(m.Data) >= (m.Rows-1)*m.Stride+m.Cols)
}

// scale is m = beta m: all that is left of a product over nothing, or times 0.
func (m Matrix) scale(beta float32) {
	for i := range m.Rows {
		row := m.Data[i*m.Stride:][:m.Cols]
		if beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= beta
		}
	}
}

// Trans says whether a factor is used as it is or transposed.
type Trans bool

// The two values of Trans.
const (
	N Trans = false // as it is
	T Trans = true  // transposed
)

func (t Trans) flag() blas.Transpose {
	if t {
		return blas.Trans
	}
	return blas.NoTrans
}

const errShape = "blas: shapes do not match"

// Gemm is c = alpha op(a) op(b) + beta c. With beta = 0, what c held before is not read, so
// that NaN in it does no harm; with alpha = 0, a and b are not.
func Gemm(ta, tb Trans, alpha float32, a, b Matrix, beta float32, c Matrix) {
	m, k := a.Rows, a.Cols
	if ta {
		m, k = k, m
	}
	kb, n := b.Rows, b.Cols
	if tb {
		kb, n = n, kb
	}
	if k != kb || c.Rows != m || c.Cols != n || !a.valid() || !b.valid() || !c.valid() {
		panic(errShape)
	}
	if m == 0 || n == 0 {
		return
	}
	if k == 0 || alpha == 0 { // the backends refuse the one, and some read a and b at the other
		c.scale(beta)
		return
	}
	active.Sgemm(ta.flag(), tb.flag(), m, n, k, alpha, a.Data, a.Stride, b.Data, b.Stride, beta, c.Data, c.Stride)
}

// LibraryInfo describes the backend in use.
type LibraryInfo struct {
	Backend string `json:"backend"` // "native", "openblas" or "gonum"
	Library string `json:"library"` // name and version; native is versioned with plume
	Core    string `json:"core"`    // the kernel set that OpenBLAS chose; empty otherwise
	Threads int    `json:"threads"` // threads per call: 1
	Warning string `json:"warning"` // why it is slower than this machine could be, or empty
}

// Info describes the backend in use. Its warning also names the environment variable that
// holds OpenBLAS below what the CPU can do, when there is one.
func Info() LibraryInfo {
	info := active.info()
	if info.Backend == "openblas" {
		slow := coreWarning(info.Core, os.Getenv("OPENBLAS_CORETYPE"), os.Getenv("OPENBLAS_L2_SIZE"), cpuLevel())
		info.Warning = strings.TrimPrefix(strings.TrimSuffix(info.Warning+". "+slow, ". "), ". ")
	}
	if passedOver != nil {
		info.Warning = fmt.Sprintf("%s is not used, which would be the default: %v", backends[0].name, passedOver)
	}
	return info
}
