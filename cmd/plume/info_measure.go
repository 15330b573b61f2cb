package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	measured "github.com/plume-ml/plume/trainer/machine"
)

// measure adds the rates of the machine.
func (m *machine) measure() error {
	insist := func(line string) { fmt.Fprintln(os.Stderr, line) }
	notify := func(notice string) { insist("plume: " + notice) }
	ctx, interrupt := watchSignals(context.Background(), notify)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, nil)
	insist("Measuring for some seconds ...")
	rates, err := measured.Measure(ctx, measured.Options{})
	m.Measured = &rates
	return interrupt.ended(err)
}

// printRates prints the rates of the machine, one a line.
func printRates(w io.Writer, r measured.Rates) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "measured\tone core\t%s at once\n", plural(r.Workers, "core", "cores"))
	row := func(name, unit string, rate measured.Rate) {
		fmt.Fprintf(table, "%s\t%s\t%s\n", name, perSecond(rate.One, unit),
			perSecond(rate.All, unit))
	}
	row("multiply-add peak", "FLOP/s", r.FMA)
	if r.AMX.One > 0 {
		row("AMX peak, bf16", "FLOP/s", r.AMX)
	}
	if r.Pairs.One > 0 {
		row("VDPBF16PS peak", "FLOP/s", r.Pairs)
	}
	row("memory bandwidth", "B/s", r.Memory)
	row("normals", "/s", r.Normals)
	for _, g := range r.Gemm {
		row(fmt.Sprintf("sgemm %d, %s", g.N, g.Backend), "FLOP/s", g.Rate)
	}
	return table.Flush()
}

// perSecond formats a rate with three digits: 83.1 GFLOP/s.
func perSecond(rate float64, unit string) string {
	value, prefix := humanize.ComputeSI(rate)
	digits := 0
	for limit := 100.0; value < limit && digits < 2; limit /= 10 {
		digits++
	}
	return fmt.Sprintf("%.*f %s%s", digits, value, prefix, unit)
}
