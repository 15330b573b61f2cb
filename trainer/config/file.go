package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxConfig limits the size of a configuration file, in bytes; one with all keys has 5 KB.
const maxConfig = 1 << 20

// readConfig reads a file of at most maxConfig bytes: a regular one, or one that the shell or the
// system provides under /dev and /proc, such as /dev/stdin.
func readConfig(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	offered := strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")
	if !info.Mode().IsRegular() && !(offered && !info.IsDir()) {
		return nil, fmt.Errorf("%s: not a regular file (%v)", path, info.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = errors.New(path + ": more than 1 MiB, expected the keys of a run in TOML")
	}
	return text, err
}
