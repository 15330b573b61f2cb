package main

import (
	"context"
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
	"github.com/plume-ml/plume/trainer/data"
	measured "github.com/plume-ml/plume/trainer/machine"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// machine is what plume info prints.
type machine struct {
	Version  string   `json:"version"`
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	CPU      string   `json:"cpu"`
	Features []string `json:"features"`
	Kernels  string   `json:"kernel_path"`
	Paths    []string `json:"kernel_paths"` // that this CPU and build could use
	// Halves are in use, for products in bf16.
	Halves   []string         `json:"kernel_extensions,omitempty"`
	NoAMX    string           `json:"why_no_amx,omitempty"`
	BLAS     blas.LibraryInfo `json:"blas"`
	BLASes   []string         `json:"blas_available"` // in this build, the default first
	Cores    int              `json:"cores"`
	Memory   int64            `json:"memory_bytes,omitempty"` // that plume may use; 0 if unknown
	DataSets []dataSet        `json:"data_sets"`
	Measured *measured.Rates  `json:"measured,omitempty"` // with --measure
}

type dataSet struct {
	Name   string `json:"name"`
	Images int    `json:"images"`
	Shape  string `json:"shape"`
}

func newInfo() *cobra.Command {
	asJSON, measure := false, false
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Show the CPU, the kernels and the BLAS in use",
		Example: `  plume info
  plume info --measure   what this machine can give, in about four seconds
  plume info --json`,
		Args: cobra.NoArgs,
		RunE: command(func(*cobra.Command, []string) error {
			m, err := inspect()
			if err != nil {
				return err
			}
			if measure {
				if err := m.measure(); err != nil {
					return err
				}
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
	cmd.Flags().BoolVar(&measure, "measure", false,
		"measure multiply-adds, memory, normals and matrix products for some seconds")
	return cmd
}

func inspect() (machine, error) {
	cpu := kernel.Info()
	m := machine{
		Version:  run.Version(),
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		CPU:      cpu.CPU,
		Features: cpu.Features,
		Kernels:  cpu.Path,
		Paths:    cpu.Available,
		Halves:   cpu.Extensions,
		BLAS:     blas.Info(),
		BLASes:   blas.Available(),
		Cores:    pool.DefaultWorkers(),
		Memory:   memory.Machine(),
	}
	_, m.NoAMX = kernel.AMX()
	for _, name := range data.Embedded() {
		set, err := data.Find(context.Background(), name, data.Options{})
		if err != nil {
			return machine{}, err
		}
		m.DataSets = append(m.DataSets, dataSet{name, set.Len, set.Shape.String()})
	}
	return m, nil
}

func (m machine) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, name+"\t"+format+"\n", args...)
	}
	row("plume", "%s, %s, %s", m.Version, m.Go, m.Platform)
	row("CPU", "%s", m.CPU)
	row("features", "%s", strings.Join(m.Features, " "))
	row("kernels", "%s (of %s)", m.Kernels, strings.Join(m.Paths, ", "))
	amx, pairs := "yes", "not used, since it is not there or slower"
	if m.NoAMX != "" {
		amx = "no, " + m.NoAMX
	}
	if kernel.PairHalves() != nil {
		pairs = "yes"
	}
	row("bf16", "AMX: %s; VDPBF16PS: %s", amx, pairs)
	row("BLAS", "%s (of %s): %s", m.BLAS.Backend, strings.Join(m.BLASes, ", "), m.BLAS.Library)
	if m.BLAS.Core != "" {
		row("BLAS core", "%s", m.BLAS.Core)
	}
	row("BLAS threads", "%d per call; plume runs many calls at once", m.BLAS.Threads)
	row("cores", "%d", m.Cores)
	if m.Memory > 0 {
		row("memory", "%s", memory.Human(m.Memory))
	}
	for _, set := range m.DataSets {
		row("data set", "%s: %s images of %s", set.Name,
			humanize.Comma(int64(set.Images)), set.Shape)
	}
	if err := table.Flush(); err != nil || m.Measured == nil {
		return err
	}
	return printRates(w, *m.Measured)
}

func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
