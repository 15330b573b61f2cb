package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

// Run is a stored run, opened for reading. Another process may be writing it.
type Run struct {
	Dir    string
	Config config.Config // with every key set
	From   string        // checkpoint to read, as checkpoint.Find takes it; empty: the newest
	Keep   int64         // most bytes of data that ReadData keeps if they can stay; 0: all
}

// Open reads the configuration of the run in dir. Every key must be in the file.
func Open(dir string) (*Run, error) {
	path := filepath.Join(dir, configFile)
	c, err := config.LoadWhole(path)
	if err != nil {
		return nil, err
	}
	if err := method.Validate(c); err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	return &Run{Dir: dir, Config: c}, nil
}

// PicturePath is the path of a picture of that name that the run in dir has written.
func PicturePath(dir, name string) string { return filepath.Join(dir, samplesDir, name) }

// Pictures returns the paths of the pictures that the run in dir has written, in the order of their
// names; none if it has written none.
func Pictures(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, samplesDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	var paths []string
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".png" {
			paths = append(paths, filepath.Join(dir, samplesDir, entry.Name()))
		}
	}
	return paths, nil
}

// ReadRecords reads metrics.jsonl: the records of the epochs so far, none if it is not there.
func ReadRecords(dir string) ([]record.Epoch, error) {
	return record.ReadLog(filepath.Join(dir, metricsFile))
}
