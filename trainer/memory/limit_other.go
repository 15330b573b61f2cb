//go:build !linux

package memory

// addressSpace knows of no limit.
func addressSpace() (bytes int64, limited bool) { return 0, false }
