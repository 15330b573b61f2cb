package main

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/perf/benchunit"
)

// print lists what the sides do not share and what changed, and ends with the counts.
func (c *comparison) print(w io.Writer) {
	printNames(w, "only in the base", c.onlyBase)
	printNames(w, "only here", c.onlyHead)
	printNames(w, "too few runs", c.tooFew)
	printNames(w, fmt.Sprintf("too noisy to show %.3g %%", 100*c.threshold), c.noisy)
	for _, ch := range c.faster {
		fmt.Fprintln(w, "faster:", ch)
	}
	for _, ch := range c.slower {
		fmt.Fprintln(w, "SLOWER:", ch)
	}
	fmt.Fprintf(w, "%d compared: %d slower and %d faster by more than %.3g %% (p < %v)\n",
		c.compared, len(c.slower), len(c.faster), 100*c.threshold, alpha)
}

func printNames(w io.Writer, what string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(w, "%s: %s\n", what, strings.Join(names, ", "))
	}
}

func (ch change) String() string {
	class := benchunit.ClassOf(ch.unit)
	now, before := benchunit.Scale(ch.head, class), benchunit.Scale(ch.base, class)
	return fmt.Sprintf("%s: %s %s, was %s (time %+.1f %%, %v)",
		ch.name, now, ch.unit, before, 100*ch.time, ch.Comparison)
}
