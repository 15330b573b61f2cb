package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
)

// CheckDataPath explains, for a stored run whose data are nowhere to be found any more, where they
// were and what to do. Whatever else is wrong with them is left to be found by reading.
func CheckDataPath(runDir string, stored config.Config) error {
	if slices.Contains(data.Embedded(), stored.Data) {
		return nil
	}
	if _, err := os.Stat(stored.Data); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	was := stored.Data
	if info, err := LoadRunInfo(runDir); err == nil && info.DataAsTyped != "" {
		was = fmt.Sprintf("%s (given as %q)", was, info.DataAsTyped)
	}
	return fmt.Errorf("data: %s was trained on %s, which is not there: say with --data where the images are now",
		runDir, was)
}

// CheckData refuses data other than those that the run in runDir was trained on, and says in what
// they differ. source is how the user named the data; read and fingerprint describe them.
func CheckData(runDir, source string, read data.Summary, fingerprint string) error {
	was, err := trainedOn(runDir)
	if err != nil || was.Fingerprint == fingerprint {
		return err
	}
	return fmt.Errorf("data: %s %s: %s was trained on other images; give those with --data, or start another run",
		source, was.difference(read, fingerprint), runDir)
}

// trainedOn describes the data of a run: by its run.json or, where that is lost, by no more than
// the fingerprint in its newest checkpoint.
func trainedOn(runDir string) (RunInfo, error) {
	info, err := LoadRunInfo(runDir)
	if !errors.Is(err, fs.ErrNotExist) {
		return info, err
	}
	dir, err := checkpoint.Latest(runDir)
	if err != nil {
		return RunInfo{}, err
	}
	meta, err := checkpoint.LoadSome(dir, nil)
	return RunInfo{Fingerprint: meta.Fingerprint}, err
}

// difference says in what the data that were read differ from those of r.
func (r RunInfo) difference(read data.Summary, fingerprint string) string {
	known := r.Shape != data.Shape{}
	switch {
	case known && r.Shape != read.Shape:
		return fmt.Sprintf("holds images of %v, expected %v", read.Shape, r.Shape)
	case r.Read == nil:
		return fmt.Sprintf("has the fingerprint %s, expected %s", fingerprint, r.Fingerprint)
	case r.Read.Images < read.Images:
		return fmt.Sprintf("holds %s, %s more than then", images(read.Images),
			humanize.Comma(int64(read.Images-r.Read.Images)))
	case r.Read.Images > read.Images:
		return fmt.Sprintf("holds %s, %s fewer than then", images(read.Images),
			humanize.Comma(int64(r.Read.Images-read.Images)))
	}
	return fmt.Sprintf(
		"holds as many images as then, %s, but with other pixels or in another order (fingerprint %s, expected %s)",
		humanize.Comma(int64(read.Images)),
		fingerprint,
		r.Fingerprint,
	)
}

func images(n int) string { return humanize.Comma(int64(n)) + " images" }
