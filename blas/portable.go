//go:build !cgo || !openblas

package blas

// backends are what this build has, the default first.
var backends = []*backend{&nativeBackend, &gonumBackend}

// LendToGonum does nothing in this build: gonum uses its own implementation already.
func LendToGonum() {}
