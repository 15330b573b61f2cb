//go:build linux || darwin || freebsd || dragonfly

package memory

import "golang.org/x/sys/unix"

// DiskFree returns how many bytes this process may still write to the file system of dir; ok is
// false where that is unknown, or dir cannot be examined.
func DiskFree(dir string) (bytes int64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(min(float64(s.Bavail)*float64(s.Bsize), huge)), true
}
