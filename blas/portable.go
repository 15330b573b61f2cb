//go:build !cgo || !openblas

package blas

// library is the backend of the library that this build links: none.
var library *Backend
