//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package memory

// Peak is the most memory that this process has had resident so far; ok is false where the system
// does not tell. This one does not, as far as the standard library knows.
func Peak() (bytes int64, ok bool) { return 0, false }
