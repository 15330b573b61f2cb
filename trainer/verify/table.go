package verify

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// WriteTable writes the checks of a report as an aligned table by sections, and a summary line.
func WriteTable(w io.Writer, r *Report) error {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	section := ""
	for _, c := range r.Checks {
		if c.Section != section {
			section = c.Section
			fmt.Fprintf(t, "%s\texact\tmeasured\tstd. error\tverdict\t\n", section)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\n",
			c.Quantity, exact(c), number(c.Measured), standardError(c.SE), c.Verdict, c.Note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) { // tabwriter pads the last column too
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", summary(r))
	return err
}

func summary(r *Report) string {
	failed, checks := len(r.Failed()), len(r.Checks)
	run := fmt.Sprintf("%.1f s (seed %d)", r.Seconds, r.Seed)
	if failed == 0 {
		return fmt.Sprintf("all %d checks passed in %s", checks, run)
	}
	return fmt.Sprintf("%d of %d checks FAILED in %s", failed, checks, run)
}

// exact is the closed form, or the accepted interval where there is none.
func exact(c lab.Check) string {
	switch {
	case !math.IsNaN(float64(c.Exact)):
		return number(c.Exact)
	case math.IsInf(float64(c.Low), -1):
		return "<= " + number(c.High)
	case math.IsInf(float64(c.High), 1):
		return ">= " + number(c.Low)
	case math.IsNaN(float64(c.Low)):
		return ""
	}
	return number(c.Low) + " to " + number(c.High)
}

func number(v record.Number) string { return fmt.Sprintf("%.5g", v) }

func standardError(v record.Number) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1e", v)
}
