package main

import (
	"os"
	"path/filepath"
)

// firstMissing is the outermost directory on the way to dir that does not exist, or nothing.
func firstMissing(dir string) (missing string) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			return missing
		}
		missing = dir
	}
}

// removeEmpty removes dir and those around it up to made, which firstMissing named before they
// were made, as far as they are empty. Nothing was made if made is empty.
func removeEmpty(dir, made string) {
	for dir = filepath.Clean(dir); made != "" && os.Remove(dir) == nil && dir != made; {
		dir = filepath.Dir(dir)
	}
}
