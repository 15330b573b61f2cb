package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// diff compares this tree with a base, and says whether it became slower.
func diff(ctx context.Context, args []string) (slower bool, err error) {
	flags := flag.NewFlagSet("diff", flag.ContinueOnError)
	base := flags.String("base", "",
		"recorded `file` or git revision (default this CPU's baseline)")
	threshold := flags.Float64("threshold", 5, "percent by which a benchmark may become slower")
	var s settings
	if err := s.parse(flags, args); err != nil {
		return false, err
	}
	s.or(compare)
	if !(*threshold >= 0) {
		return false, fmt.Errorf("-threshold %v: expected percent, 0 or more", *threshold)
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "regress")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := measure(ctx, root, dir, *base, s)
	if err != nil {
		return false, err
	}
	return p.judge(ctx, root, *threshold/100)
}

// pair is the result files of both sides.
type pair struct{ base, head string }

// measure runs the benchmarks of this tree, and those of the base unless it is a file.
func measure(ctx context.Context, root, dir, base string, s settings) (pair, error) {
	if base == "" {
		var err error
		if base, err = s.baseline(root); err != nil {
			return pair{}, err
		}
	}
	if info, err := os.Stat(base); err == nil && !info.IsDir() {
		file, err := filepath.Abs(base) // benchstat runs in another directory
		if err != nil {
			return pair{}, err
		}
		return againstFile(ctx, root, dir, file, s)
	}
	return againstRevision(ctx, root, dir, base, s)
}

func againstFile(ctx context.Context, root, dir, file string, s settings) (pair, error) {
	recorded, err := readFile(file)
	if err != nil {
		return pair{}, err
	}
	if err := recorded.sameMachine(); err != nil {
		return pair{}, err
	}
	head, err := build(ctx, state(ctx, root), root, filepath.Join(dir, "head"), s)
	if err != nil {
		return pair{}, err
	}
	known := func() (*results, error) { return recorded, nil }
	if err := rounds(ctx, s, known, head, head); err != nil {
		return pair{}, err
	}
	p := pair{file, s.resultFile(root, head.label)}
	return p, head.store(p.head)
}

func againstRevision(
	ctx context.Context, root, dir, revision string, s settings,
) (p pair, err error) {
	module, commit, remove, err := checkout(ctx, root, revision, dir)
	if err != nil {
		return pair{}, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	base, err := build(ctx, commit, module, filepath.Join(dir, "base"), s)
	if err != nil {
		return pair{}, err
	}
	head, err := build(ctx, state(ctx, root), root, filepath.Join(dir, "head"), s)
	if err != nil {
		return pair{}, err
	}
	if err := rounds(ctx, s, base.results, head, base, head); err != nil {
		return pair{}, err
	}
	p = pair{s.resultFile(root, base.label+"-base"), s.resultFile(root, head.label)}
	return p, errors.Join(base.store(p.base), head.store(p.head))
}

// rounds runs the sides in turns, so that changes of the machine affect both, in an order that
// alternates. It ends after the first round if base and head have no benchmark in common.
func rounds(
	ctx context.Context, s settings, base func() (*results, error), head *suite, sides ...*suite,
) error {
	for i := range s.count {
		for _, side := range sides {
			fmt.Fprintf(os.Stderr, "run %d of %d: %s\n", i+1, s.count, side.label)
			if err := side.run(ctx, s); err != nil {
				return err
			}
		}
		was, err := base()
		if err != nil {
			return err
		}
		is, err := head.results()
		if err != nil {
			return err
		}
		if len(missing(was, is)) == len(was.names) {
			return fmt.Errorf("%s and %s have no benchmark in common: expected some of %s",
				was.file, is.file, strings.Join(is.names, ", "))
		}
		slices.Reverse(sides)
	}
	return nil
}
