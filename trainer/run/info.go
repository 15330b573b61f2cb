package run

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
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
)

// Info is the content of run.json: where a run comes from, and what may affect its bits or its
// speed without being part of its configuration.
type Info struct {
	Argv       []string         `json:"argv"`
	Version    string           `json:"version"`
	Go         string           `json:"go"`
	Platform   string           `json:"platform"` // GOOS/GOARCH
	CPU        string           `json:"cpu"`
	KernelPath string           `json:"kernel_path"`
	BLAS       blas.LibraryInfo `json:"blas"`
	Seed       uint64           `json:"seed"`

	Data        string        `json:"data"`                    // absolute path, or an embedded name
	DataAsTyped string        `json:"data_as_typed,omitempty"` // if that was another path
	Fingerprint string        `json:"data_fingerprint"`
	Shape       data.Shape    `json:"shape"`             // of an image
	Read        *data.Summary `json:"read,omitempty"`    // of the data, by the last session
	Classes     *data.Classes `json:"classes,omitempty"` // that are conditions; nil: none

	Started     time.Time    `json:"started"`
	Finished    *time.Time   `json:"finished,omitempty"` // nil while the run is unfinished
	Ended       string       `json:"ended,omitempty"`    // why before the last epoch
	Diverged    bool         `json:"diverged,omitempty"` // in the last session
	Divergences []Divergence `json:"divergences,omitempty"`

	Imported *Import `json:"imported,omitempty"` // nil: the run was trained here

	// Checkpoints says how long they held up training, and Memory what the last session needs.
	// Checkpoints and the peak of Memory are known once the run has finished.
	Checkpoints *Stall  `json:"checkpoints,omitempty"`
	Memory      *Memory `json:"memory,omitempty"`
}

// Import says which export a run was made from.
type Import struct {
	File    string `json:"file"`    // absolute path
	Version string `json:"version"` // of the plume that wrote it
	Weights string `json:"weights"` // "averaged" or "raw"
}

// NewInfo describes a run that starts now in this process with this configuration;
// fingerprint and shape are those of its data.
func NewInfo(c config.Config, fingerprint string, shape data.Shape) Info {
	cpu := kernel.Info()
	return Info{
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

// version is set by builds that see neither a repository nor a module's version, such as those of a
// distribution: -ldflags "-X github.com/plume-ml/plume/trainer/run.version=v1.2.3".
var version string

// Version is the module's version: a tag, or the commit's time and hash where the build could
// see the repository.
func Version() string {
	if version != "" {
		return version
	}
	build, ok := debug.ReadBuildInfo()
	if !ok || build.Main.Version == "" {
		return "(unknown)"
	}
	return build.Main.Version
}

// ReadInfo reads run.json. A shape that no data set has is an error.
func ReadInfo(dir string) (Info, error) {
	path := filepath.Join(dir, infoFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Info{}, fmt.Errorf("run: %w", err)
	}
	var info Info
	if err := json.Unmarshal(text, &info); err != nil {
		return Info{}, fmt.Errorf("%s: expected the description of a run: %w", path, err)
	}
	if err := info.Shape.Validate(); err != nil {
		return Info{}, fmt.Errorf("%s: shape: %w", path, err)
	}
	return info, nil
}

// Differs lists the differences of now from i that may change the bits of the same configuration
// and data, as text: "BLAS core Haswell, was Cooperlake". The kernel path does not change them.
func (i Info) Differs(now Info) []string {
	var list []string
	compare := func(what, was, is string) {
		if is != was {
			list = append(list,
				fmt.Sprintf("%s %s, was %s", what, cmp.Or(is, "none"), cmp.Or(was, "none")))
		}
	}
	compare("version", i.Version, now.Version)
	compare("platform", i.Platform, now.Platform)
	compare("BLAS", i.BLAS.Library, now.BLAS.Library)
	compare("BLAS core", i.BLAS.Core, now.BLAS.Core)
	return list
}

// MarkDiverged records that a run's numbers are no longer finite. The mark stays until the run is
// resumed.
func MarkDiverged(dir string) error {
	return (&Writer{Dir: dir, Files: file.OS}).Amend((*Info).SetDiverged)
}

// SetDiverged records that the last session ended because numbers were no longer finite.
func (i *Info) SetDiverged() { i.Finished, i.Ended, i.Diverged = nil, "", true }

// SetFinished records when the run finished; nil: it has not.
func (i *Info) SetFinished(at *time.Time) { i.Finished, i.Ended, i.Diverged = at, "", false }

// Divergence is an entry of run.json: how a run diverged, and what it did about it.
type Divergence struct {
	Step   int           `json:"step"` // the run's, from 1
	What   string        `json:"what"`
	Place  *method.Fault `json:"place,omitempty"`   // nil unless a step found it
	BackTo *int          `json:"back_to,omitempty"` // step of the state that the run went back to
	Retry  int           `json:"retry,omitempty"`   // number of the retry that this began, from 1
	Factor float64       `json:"divergence_factor"` // of step size and learning rate, from there on
	Kept   string        `json:"kept,omitempty"`    // checkpoint that stays of a run that gave up
}

// Stall is how long checkpoints held up training, in all sessions of a run.
type Stall struct {
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"` // of the wall time of training and reports
}

// Memory is the memory that a run needs, by its configuration and the headers of its data, and the
// peak of what it used.
type Memory struct {
	Parts memory.Parts `json:"parts"`
	Sum   int64        `json:"sum_bytes"`
	Peak  int64        `json:"peak_bytes,omitempty"` // largest resident set; 0 if unknown
	Disk  int64        `json:"disk_bytes,omitempty"` // particles in a file, not part of the sum
}

// PeakTolerance limits the peak of a run, as a multiple of the sum of its parts. The rest is
// garbage not yet collected, and what the parts leave out: less than a fifth (the default run peaks
// at 1.05 to 1.09 times the sum).
const PeakTolerance = 1.2

// Exceeded reports whether the peak is known and above the tolerance. Cached pages of a file of
// particles count as resident, up to the whole file. The run does not need them in memory, so they
// are subtracted.
func (m Memory) Exceeded() bool { return float64(m.Peak-m.Disk) > PeakTolerance*float64(m.Sum) }
