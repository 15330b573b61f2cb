package main

import (
	"os"
	"path/filepath"
)

// firstMissing is the outermost directory on the path to dir that does not exist, or empty.
func firstMissing(dir string) (missing string) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			return missing
		}
		missing = dir
	}
}

// removeEmpty removes dir and its parents up to made, which firstMissing returned before they were
// created, as far as they are empty. An empty made means that none was created.
func removeEmpty(dir, made string) {
	for dir = filepath.Clean(dir); made != "" && os.Remove(dir) == nil && dir != made; {
		dir = filepath.Dir(dir)
	}
}
