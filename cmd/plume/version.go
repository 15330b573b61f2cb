package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/run"
)

const versionLong = "" +
	`Print the version, the commit that this command was built from, Go, the platform, and the
kernels that this CPU can use. "plume --version" prints the first line. A build from a checkout has
the version that Go makes of its tags and its commit, with +dirty if files were changed.`

// version is what plume version prints. Revision and Time are empty where the build could not see
// the repository, as after "go install module@version", which has the tag alone.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the commit, in full
	Time     string `json:"time,omitempty"`     // of the commit, RFC 3339
	Dirty    bool   `json:"dirty"`              // files of the checkout were changed

	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	CGo      bool     `json:"cgo"`
	Kernels  string   `json:"kernel_path"`
	Paths    []string `json:"kernel_paths"`   // that this CPU and build could use
	BLASes   []string `json:"blas_available"` // in this build, the default first
}

func newVersion() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit, Go, the platform and the kernels",
		Long:  versionLong,
		Example: `  plume version
  plume version --json
  plume --version        the version alone`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: command(func(*cobra.Command, []string) error {
			build, _ := debug.ReadBuildInfo()
			v := describeBuild(build)
			if asJSON {
				return printJSON(os.Stdout, v)
			}
			return v.print(os.Stdout)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// describeBuild describes this process and the build that it comes from, which may be nil.
func describeBuild(build *debug.BuildInfo) version {
	cpu := kernel.Info()
	v := version{
		Version: run.Version(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Kernels:  cpu.Path, Paths: cpu.Available, BLASes: blas.Available(),
	}
	if build == nil {
		return v
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Dirty = s.Value == "true"
		case "CGO_ENABLED":
			v.CGo = s.Value == "1"
		}
	}
	return v
}

func (v version) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "plume version %s\n", v.Version)
	if v.Revision != "" {
		changed := ""
		if v.Dirty {
			changed = ", and changes that are not committed"
		}
		fmt.Fprintf(table, "commit\t%s of %s%s\n", v.Revision, v.Time, changed)
	}
	cgo := "without cgo"
	if v.CGo {
		cgo = "with cgo"
	}
	fmt.Fprintf(table, "Go\t%s, %s\n", v.Go, cgo)
	fmt.Fprintf(table, "platform\t%s\n", v.Platform)
	fmt.Fprintf(table, "kernels\t%s (of %s)\n", v.Kernels, strings.Join(v.Paths, ", "))
	fmt.Fprintf(table, "BLAS\t%s\n", strings.Join(v.BLASes, ", "))
	return table.Flush()
}
