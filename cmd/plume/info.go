package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// machine is what plume info prints.
type machine struct {
	Version  string           `json:"version"`
	Go       string           `json:"go"`
	Platform string           `json:"platform"`
	CPU      string           `json:"cpu"`
	Features []string         `json:"features"`
	Kernels  string           `json:"kernel_path"`
	Paths    []string         `json:"kernel_paths"` // that this CPU and build could use
	BLAS     blas.LibraryInfo `json:"blas"`
	Cores    int              `json:"cores"`
	Memory   uint64           `json:"memory_bytes,omitempty"` // 0 where the system does not tell
	DataSets []dataSet        `json:"data_sets"`
}

type dataSet struct {
	Name   string `json:"name"`
	Images int    `json:"images"`
	Shape  string `json:"shape"`
}

func newInfo() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Show the CPU, the kernels and the BLAS in use",
		Example: `  plume info
  plume info --json`,
		Args: cobra.NoArgs,
		RunE: command(func(*cobra.Command, []string) error {
			m, err := inspect()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(os.Stdout, m)
			}
			if err := m.print(os.Stdout); err != nil {
				return err
			}
			if warning := backendWarning(); warning != "" {
				fmt.Fprintln(os.Stderr, warning)
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func inspect() (machine, error) {
	cpu := kernel.Info()
	m := machine{
		Version:  trainer.Version(),
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		CPU:      cpu.CPU,
		Features: cpu.Features,
		Kernels:  cpu.Path,
		Paths:    cpu.Available,
		BLAS:     blas.Info(),
		Cores:    pool.DefaultWorkers(),
		Memory:   memory(),
	}
	for _, name := range data.Embedded() {
		set, err := data.Open(name, data.Options{})
		if err != nil {
			return machine{}, err
		}
		m.DataSets = append(m.DataSets, dataSet{name, set.Len(), set.Shape().String()})
	}
	return m, nil
}

// memory is the machine's memory in bytes, as Linux tells it.
func memory() uint64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kilobytes uint64
		if _, err := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}

func (m machine) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(table, name+"\t"+format+"\n", args...) }
	row("plume", "%s, %s, %s", m.Version, m.Go, m.Platform)
	row("CPU", "%s", m.CPU)
	row("features", "%s", strings.Join(m.Features, " "))
	row("kernels", "%s (of %s)", m.Kernels, strings.Join(m.Paths, ", "))
	row("BLAS", "%s (%s)", m.BLAS.Library, m.BLAS.Backend)
	if m.BLAS.Core != "" {
		row("BLAS core", "%s", m.BLAS.Core)
	}
	row("BLAS threads", "%d per call; plume runs many calls at once", m.BLAS.Threads)
	row("cores", "%d", m.Cores)
	if m.Memory > 0 {
		row("memory", "%s", humanize.IBytes(m.Memory))
	}
	for _, set := range m.DataSets {
		row("data set", "%s: %s images of %s", set.Name, humanize.Comma(int64(set.Images)), set.Shape)
	}
	return table.Flush()
}

func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
