//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package memory

// Peak returns the most memory that this process has had resident so far; ok is false where that is
// unknown, as on this system.
func Peak() (bytes int64, ok bool) { return 0, false }
