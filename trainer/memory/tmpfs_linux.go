package memory

import "golang.org/x/sys/unix"

// InMemory reports whether dir is known to be in memory, on a tmpfs or ramfs.
func InMemory(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && (s.Type == unix.TMPFS_MAGIC || s.Type == unix.RAMFS_MAGIC)
}
