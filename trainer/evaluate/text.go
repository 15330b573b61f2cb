package evaluate

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/record"
)

// WriteText writes the report as a table for readers, followed by a description of each number.
func (r *Report) WriteText(w io.Writer) error {
	var out strings.Builder
	if r.Run != "" {
		weights := "weights as they are"
		if r.Averaged {
			weights = "averaged weights"
		}
		fmt.Fprintf(&out, "%s: %s on %s, epoch %d, step %s, %s; %s samples%s\n",
			r.Run, r.Method, r.Data, r.Epoch, humanize.Comma(int64(r.Step)), weights,
			humanize.Comma(int64(r.Samples)), bySolver(r.Solver, r.Steps)+byGuidance(r.Guidance))
	}
	if c := r.Classifier; c != nil {
		fmt.Fprintf(&out, "Classifier of the FFD: %s, %s parameters, seed %d, accuracy %.1f %% on "+
			"%s test images, %d features, SHA-256 %s\n",
			c.Network, humanize.Comma(int64(c.Weights)), c.Seed, 100*c.Accuracy,
			humanize.Comma(int64(c.Images)), c.Features, c.Hash)
	}
	out.WriteByte('\n')
	r.writeTable(&out)
	out.WriteByte('\n')
	r.writeClasses(&out)
	r.writeColumns(&out)
	for _, m := range r.Metrics {
		fmt.Fprintf(&out, "%s: %s.\n", m.Name, m.Note)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&out, "Note: %s.\n", note)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// bySolver describes the solver of samples; "" if they need none.
func bySolver(solver diffusion.Solver, steps int) string {
	if solver == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, %d steps)", solver, steps)
}

// byGuidance describes the guidance of samples; "" without.
func byGuidance(w float64) string {
	if w == 0 {
		return ""
	}
	return fmt.Sprintf(", guidance %v", w)
}

func (r *Report) writeTable(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	real := r.Kind.Words("real images")
	fmt.Fprintln(table, "metric\tvalue\t95 % interval\t"+real+"\tbetter\tunit\t")
	for _, m := range r.Metrics {
		interval := ""
		if m.Low.Finite() && m.High.Finite() {
			interval = number(m.Low) + " .. " + number(m.High)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t\n", m.Name, number(m.Value), interval,
			number(m.Floor), m.Better, m.Unit)
	}
	table.Flush() // out is a strings.Builder, whose writes do not fail
}

// writeClasses writes a row for each class, if there are any.
func (r *Report) writeClasses(out io.Writer) {
	if len(r.Classes) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "class\tsamples\taccuracy\tPCA-64 FD\treal data\tFFD\treal data\t")
	for _, c := range r.Classes {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t\n", c.Class, c.Samples,
			number(c.Accuracy), number(c.PCA64FD), number(c.PCA64FDFloor), number(c.FFD),
			number(c.FFDFloor))
	}
	fmt.Fprintln(table)
	table.Flush()
}

// writeColumns writes a row for each column of a table, if the data are one.
func (r *Report) writeColumns(out io.Writer) {
	if len(r.Columns) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "column\tkind\tmissing\tdistance\treal rows\timputation error\tsimple\t")
	for _, c := range r.Columns {
		fmt.Fprintf(table, "%s\t%s\t%.1f %%\t%s\t%s\t%s\t%s\t\n", c.Column, c.Kind,
			100*float64(c.Missing), number(c.Distance), number(c.Floor), number(c.Error),
			number(c.Simple))
	}
	table.Flush()
	fmt.Fprint(out, "distance: of the samples' values from training rows', in standard "+
		"deviations; of categories, total variation\nimputation error: root mean square in "+
		"standard deviations, or share of wrong categories; simple: with the mean, or the most "+
		"frequent\n\n")
}

// number formats v with four significant digits; "" if it is not finite.
func number(v record.Number) string {
	switch {
	case !v.Finite():
		return ""
	case math.Abs(float64(v)) >= 1000:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}
