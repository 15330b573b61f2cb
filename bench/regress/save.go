package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/machine"
)

// save runs the benchmarks of this tree and records them.
func save(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("save", flag.ContinueOnError)
	baseline := flags.Bool("baseline", false,
		"record this CPU's baseline: the benchmarks, runs and times of diff")
	file := flags.String("o", "",
		"`file` to write (default a new one in bench/results, or the baseline)")
	var s settings
	if err := s.parse(flags, args); err != nil {
		return err
	}
	if *baseline {
		s.or(tracked)
	}
	s.or(everything)
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "regress")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	here, err := build(ctx, state(ctx, root), root, filepath.Join(dir, "head.test"), s.tags)
	if err != nil {
		return err
	}
	here.show = os.Stdout
	for range s.count {
		if err := here.run(ctx, s); err != nil {
			return err
		}
	}
	path := *file
	if *baseline {
		path = cmp.Or(path, baselineFile(root))
	}
	path = cmp.Or(path, resultFile(root, here.label))
	if err := here.store(path); err != nil {
		return err
	}
	fmt.Println("saved", path)
	return nil
}

// baselineFile is the baseline of this CPU with these kernels.
func baselineFile(root string) string {
	return filepath.Join(root, "bench", "baseline", machine.Describe().Name()+".txt")
}

// store writes what was recorded.
func (s *suite) store(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return file.WriteBytes(file.OS, path, s.record.Bytes())
}
