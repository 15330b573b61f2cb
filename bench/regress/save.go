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
		"record this CPU's baseline, with the rounds and times of diff")
	file := flags.String("o", "",
		"`file` to write (default a new one among the results, or the baseline)")
	var s settings
	if err := s.parse(flags, args); err != nil {
		return err
	}
	if *baseline {
		s.or(compare)
	}
	s.or(once)
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "regress")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	here, err := build(ctx, state(ctx, root), root, filepath.Join(dir, "head"), s)
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
		path = cmp.Or(path, s.baselineFile(root, here.kernels()))
	}
	path = cmp.Or(path, s.resultFile(root, here.label))
	if err := here.store(path); err != nil {
		return err
	}
	fmt.Println("saved", path)
	return nil
}

// baselineFile is the baseline of this CPU, with plume's kernels if the benchmarks name them.
func (s settings) baselineFile(root, kernels string) string {
	d := machine.Describe()
	d.Kernels = kernels
	return filepath.Join(root, s.dir, "baseline", d.Name()+".txt")
}

// baseline is the recorded baseline of this CPU.
func (s settings) baseline(root string) (string, error) {
	named := s.baselineFile(root, machine.Describe().Kernels)
	plain := s.baselineFile(root, "")
	for _, file := range []string{named, plain} {
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("this CPU has no baseline, %s: record one (regress save -baseline), "+
		"or name a file or a revision to compare with (-base)", plain)
}

// kernels are those of plume that the benchmarks say they ran with; "" for other modules.
func (s *suite) kernels() string {
	r, err := s.results()
	if err != nil {
		return ""
	}
	return r.config[machine.KeyKernels]
}

// store writes what was recorded.
func (s *suite) store(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return file.WriteBytes(file.OS, path, s.record.Bytes())
}
