package main

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/perf/benchunit"
)

// print lists what the sides do not share and what changed, and ends with the counts.
func (c *comparison) print(w io.Writer) {
	c.printNames(w, "only in the base", c.onlyBase)
	c.printNames(w, "only here", c.onlyHead)
	c.printNames(w, "too few runs", c.tooFew)
	c.printNames(w, fmt.Sprintf("too noisy to show %.3g %%", 100*c.threshold), c.noisy)
	for _, ch := range c.faster {
		fmt.Fprintln(w, "faster:", strings.TrimPrefix(ch.String(), c.prefix))
	}
	for _, ch := range c.slower {
		fmt.Fprintln(w, "SLOWER:", strings.TrimPrefix(ch.String(), c.prefix))
	}
	fmt.Fprintf(w, "%d compared: %d slower and %d faster by more than %.3g %% (p < %v)\n",
		c.compared, len(c.slower), len(c.faster), 100*c.threshold, alpha)
}

func (c *comparison) printNames(w io.Writer, what string, names []string) {
	var short []string
	for _, name := range names {
		short = append(short, strings.TrimPrefix(name, c.prefix))
	}
	if len(short) > 0 {
		fmt.Fprintf(w, "%s: %s\n", what, strings.Join(short, ", "))
	}
}

func (ch change) String() string {
	class := benchunit.ClassOf(ch.unit)
	now, before := benchunit.Scale(ch.head, class), benchunit.Scale(ch.base, class)
	return fmt.Sprintf("%s: %s %s, was %s (time %+.1f %%, %v)",
		ch.name, now, ch.unit, before, 100*ch.time, ch.Comparison)
}
