package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// judge prints benchstat's tables and the verdict.
func (p pair) judge(ctx context.Context, root string, threshold float64) (slower bool, err error) {
	base, err := readFile(p.base)
	if err != nil {
		return false, err
	}
	head, err := readFile(p.head)
	if err != nil {
		return false, err
	}
	for _, w := range base.differs(head, threshold) {
		fmt.Fprintln(os.Stderr, "WARNING:", w)
	}
	// The verdict does not need the tables, so a missing benchstat is only a warning.
	tables, err := p.benchstat(ctx, root, base.ignored(head))
	if err != nil {
		fmt.Fprintln(os.Stderr, "WARNING: no tables:", err)
	} else {
		fmt.Println(tables)
	}
	report := judge(base, head, threshold)
	fmt.Printf("\nbase: %s\nhead: %s\n", p.base, p.head)
	report.print(os.Stdout)
	return report.verdict()
}

// benchstat is the version that is used where the module names none.
const benchstat = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

func (p pair) benchstat(ctx context.Context, root string, ignored []string) (string, error) {
	var args []string
	if len(ignored) > 0 {
		args = append(args, "-ignore", strings.Join(ignored, ","))
	}
	args = append(args, "base="+p.base, "head="+p.head)
	text, err := output(ctx, root, "go", append([]string{"tool", "benchstat"}, args...)...)
	if err != nil { // it is no tool of this module
		text, err = output(ctx, root, "go", append([]string{"run", benchstat}, args...)...)
	}
	return text, err
}
