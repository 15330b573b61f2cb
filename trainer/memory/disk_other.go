//go:build !(linux || darwin || freebsd || dragonfly)

package memory

// DiskFree is how many bytes this process may still write where dir lies; ok is false where the system
// does not tell, as here.
func DiskFree(string) (bytes int64, ok bool) { return 0, false }
