//go:build !cgo || !openblas

package blas

// library is the backend of the library this build links: none.
var library *backend

// LendToGonum does nothing in this build: gonum uses its own implementation already.
func LendToGonum() {}
