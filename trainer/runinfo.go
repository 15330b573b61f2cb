package trainer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
)

// RunInfo is what run.json records: where a run comes from, and what may change its bits or
// its speed without being part of its configuration.
type RunInfo struct {
	Argv        []string         `json:"argv"`
	Version     string           `json:"version"`
	Go          string           `json:"go"`
	Platform    string           `json:"platform"` // GOOS/GOARCH
	CPU         string           `json:"cpu"`
	KernelPath  string           `json:"kernel_path"`
	BLAS        blas.LibraryInfo `json:"blas"`
	Seed        uint64           `json:"seed"`
	Data        string           `json:"data"`                    // absolute path, or the name of an embedded data set
	DataAsTyped string           `json:"data_as_typed,omitempty"` // where that was another path
	Fingerprint string           `json:"data_fingerprint"`
	Shape       data.Shape       `json:"shape"`          // of an image
	Read        *data.Summary    `json:"read,omitempty"` // what was read of the data, by the last session
	Started     time.Time        `json:"started"`
	Finished    *time.Time       `json:"finished,omitempty"` // nil while the run may go on
	Diverged    bool             `json:"diverged,omitempty"` // the last session ended so
	Divergences []Divergence     `json:"divergences,omitempty"`
	Checkpoints *Stall           `json:"checkpoints,omitempty"` // how long they held up training, once the run is complete
	Memory      *Memory          `json:"memory,omitempty"`      // that the last session needs; with the peak once the run is complete
}

// NewRunInfo describes a run that starts now in this process with this configuration;
// fingerprint and shape are those of its data.
func NewRunInfo(c config.Config, fingerprint string, shape data.Shape) RunInfo {
	cpu := kernel.Info()
	return RunInfo{
		Argv:        os.Args,
		Version:     Version(),
		Go:          runtime.Version(),
		Platform:    runtime.GOOS + "/" + runtime.GOARCH,
		CPU:         cpu.CPU,
		KernelPath:  cpu.Path,
		BLAS:        blas.Info(),
		Seed:        c.Seed,
		Data:        c.Data,
		Fingerprint: fingerprint,
		Shape:       shape,
		Started:     time.Now(),
	}
}

// Version is the module's version: a tag, or the commit's time and hash where the build could
// see the repository.
func Version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok || build.Main.Version == "" {
		return "(unknown)"
	}
	return build.Main.Version
}

// StoreRunInfo writes info into a run's directory.
func StoreRunInfo(runDir string, info RunInfo) error { return storeRunInfo(file.OS, runDir, info) }

func storeRunInfo(files file.System, runDir string, info RunInfo) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", runInfoFile, err)
	}
	if err := file.WriteBytes(files, filepath.Join(runDir, runInfoFile), append(text, '\n')); err != nil {
		return fmt.Errorf("%s: %w", runInfoFile, err)
	}
	return nil
}

// LoadRunInfo reads what StoreRunInfo wrote. A shape that no data set has is an error.
func LoadRunInfo(runDir string) (RunInfo, error) {
	path := filepath.Join(runDir, runInfoFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return RunInfo{}, fmt.Errorf("run: %w", err)
	}
	var info RunInfo
	if err := json.Unmarshal(text, &info); err != nil {
		return RunInfo{}, fmt.Errorf("%s: expected the description of a run: %w", path, err)
	}
	if err := info.Shape.Validate(); err != nil {
		return RunInfo{}, fmt.Errorf("%s: shape: %w", path, err)
	}
	return info, nil
}

// Differs lists, for a reader, what in now may give other bits than r from the same
// configuration and data: "BLAS core Haswell, was Cooperlake". The kernel path may not.
func (r RunInfo) Differs(now RunInfo) []string {
	var list []string
	compare := func(what, was, is string) {
		if is != was {
			list = append(list, fmt.Sprintf("%s %s, was %s", what, cmp.Or(is, "none"), cmp.Or(was, "none")))
		}
	}
	compare("version", r.Version, now.Version)
	compare("platform", r.Platform, now.Platform)
	compare("BLAS", r.BLAS.Library, now.BLAS.Library)
	compare("BLAS core", r.BLAS.Core, now.BLAS.Core)
	return list
}

// MarkDiverged records that a run's numbers are no longer finite. The mark stays until the run is
// resumed.
func MarkDiverged(runDir string) error {
	return amend(file.OS, runDir, (*RunInfo).diverged)
}

func (r *RunInfo) diverged() { r.Finished, r.Diverged = nil, true }

// finish records when a run came to its end, nil if it goes on.
func (r *RunInfo) finish(at *time.Time) { r.Finished, r.Diverged = at, false }

// amend changes what is recorded of a run.
func amend(files file.System, runDir string, change func(*RunInfo)) error {
	info, err := LoadRunInfo(runDir)
	if err != nil {
		return err
	}
	change(&info)
	return storeRunInfo(files, runDir, info)
}
