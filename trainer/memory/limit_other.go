//go:build !linux

package memory

// addressSpace finds no limit on this system.
func addressSpace() (bytes int64, limited bool) { return 0, false }
