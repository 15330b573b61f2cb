//go:build !amd64 && !arm64

package kernel

// native is the paths of assembly: none on this architecture.
func native() []*path { return nil }
