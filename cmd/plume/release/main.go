// Command release builds what a release of plume consists of: for each target an archive with the
// static command, its manual pages, completions of shells, deployment files and licences; for Linux
// also a .deb and an .rpm; and SHA256SUMS. The same commit and the same Go give the same bytes,
// whatever the directory, the machine, the time, the user.
//
//	go run ./cmd/plume/release                        # all targets, into bin/release
//	go run ./cmd/plume/release -targets linux/arm64 -o ../dist
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// target is an operating system and an architecture, as Go names them.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

// binary is the name of the command's file.
func (t target) binary() string {
	if t.os == "windows" {
		return "plume.exe"
	}
	return "plume"
}

var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "arm64"}, {"windows", "amd64"},
}

// release is one in the making.
type release struct {
	root    string // of the module
	out     string // the directory of its files
	scratch string
	version string // as the command says it, without the v
	time    time.Time
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	out := flags.String("o", filepath.Join("bin", "release"),
		"`directory` of the files; what is in it is removed")
	names := flags.String("targets", join(targets), "`list` of GOOS/GOARCH, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := parseTargets(*names)
	if err != nil {
		return err
	}
	r := &release{}
	if r.root, err = output(ctx, "", nil, "go", "list", "-m", "-f", "{{.Dir}}"); err != nil {
		return err
	}
	if r.out, err = filepath.Abs(*out); err != nil {
		return err
	}
	if r.time, err = commitTime(ctx, r.root); err != nil {
		return err
	}
	if r.scratch, err = os.MkdirTemp("", "plume-release"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.scratch)) }()
	if err := r.clear(); err != nil {
		return err
	}
	if err := r.make(ctx, chosen); err != nil {
		return err
	}
	return r.sums()
}

// make builds the files of the targets.
func (r *release) make(ctx context.Context, chosen []target) error {
	say("building for this machine, for manual pages and completions")
	host := filepath.Join(r.scratch, "host")
	if err := r.build(ctx, nil, host); err != nil {
		return err
	}
	documents, err := r.documents(ctx, host)
	if err != nil {
		return err
	}
	for _, t := range chosen {
		say("building for " + t.String())
		file := filepath.Join(r.scratch, t.os+"-"+t.arch)
		if err := r.build(ctx, t.environment(), file); err != nil {
			return err
		}
		if r.version, err = versionOf(file); err != nil {
			return err
		}
		if strings.Contains(r.version, "+dirty") {
			say("WARNING: files differ from the commit, or are not in it: " + r.version)
		}
		licences, err := r.licences(ctx, t)
		if err != nil {
			return err
		}
		binary, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all := slices.Concat(documents, []entry{
			{t.binary(), executable, binary}, {"THIRD_PARTY", plain, licences},
		})
		if err := r.archive(t, all); err != nil {
			return err
		}
		if t.os == "linux" {
			say("packages for " + t.String())
			if err := r.packages(ctx, t, all); err != nil {
				return err
			}
		}
	}
	return nil
}

func say(line string) { fmt.Fprintln(os.Stderr, "release:", line) }

func join(all []target) string {
	var names []string
	for _, t := range all {
		names = append(names, t.String())
	}
	return strings.Join(names, ",")
}

func parseTargets(text string) (chosen []target, err error) {
	between := func(r rune) bool { return r == ',' || r == ' ' }
	for _, name := range strings.FieldsFunc(text, between) {
		i := slices.IndexFunc(targets, func(t target) bool { return t.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("-targets: %q: expected some of %s", name, join(targets))
		}
		chosen = append(chosen, targets[i])
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-targets: expected some of %s", join(targets))
	}
	return chosen, nil
}

// marker is a file that only a directory of releases has, so that no other one is emptied.
const marker = "SHA256SUMS"

// clear makes the output directory, or removes the release that is in it.
func (r *release) clear() error {
	entries, err := os.ReadDir(r.out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(r.out, marker)); err != nil {
			return fmt.Errorf("%s has files, and no %s: expected no directory, an empty one, or "+
				"that of a release, which is replaced", r.out, marker)
		}
		if err := os.RemoveAll(r.out); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(r.out, 0o777); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, marker), nil, 0o666)
}
