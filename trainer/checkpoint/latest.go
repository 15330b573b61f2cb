package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

const (
	rootName   = "checkpoints"
	latestName = "latest"
	tmpPrefix  = ".tmp-" // being written or removed
	oldPrefix  = ".old-" // whole, stepped aside for one of the same step
)

var stepPattern = regexp.MustCompile(`^(?:\.old-)?step-([0-9]{6,})$`)

func stepName(step int) string { return fmt.Sprintf("step-%06d", step) }

// found is a directory named like a checkpoint.
type found struct {
	name string
	step int
}

// list returns the directories of root named like checkpoints, the newest first.
func list(root string) ([]found, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var all []found
	for _, e := range entries {
		m := stepPattern.FindStringSubmatch(e.Name())
		if m == nil || !e.IsDir() {
			continue
		}
		step, err := strconv.Atoi(m[1])
		if err != nil {
			continue // beyond the integers: not a name that Save makes
		}
		all = append(all, found{e.Name(), step})
	}
	slices.SortFunc(all, func(a, b found) int {
		if a.step != b.step {
			return cmp.Compare(b.step, a.step)
		}
		return cmp.Compare(b.name, a.name) // "step-" before ".old-step-"
	})
	return all, nil
}

// Latest returns the directory of a run's newest checkpoint: the one that checkpoints/latest
// points to or, if that leads to none, the complete one of the highest step. Complete means that
// both files are there and meta.json can be read; the checksum is Load's to verify.
func Latest(runDir string) (dir string, err error) {
	root := filepath.Join(runDir, rootName)
	link := filepath.Join(root, latestName)
	if target, err := os.Readlink(link); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(root, target)
		}
		if complete(target) {
			return target, nil
		}
	}
	all, err := list(root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	for _, c := range all {
		if dir := filepath.Join(root, c.name); complete(dir) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("checkpoint: none found: looked for the link %s and for %s with %s and %s",
		link, filepath.Join(root, "step-*"), stateName, metaName)
}

// complete reports whether dir holds both files of a checkpoint.
func complete(dir string) bool {
	if _, err := readMeta(dir); err != nil {
		return false
	}
	info, err := os.Stat(filepath.Join(dir, stateName))
	return err == nil && info.Mode().IsRegular()
}
