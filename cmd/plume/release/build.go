package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// output runs a command with variables of the environment and returns what it prints, without the
// last newline.
func output(ctx context.Context, dir string, env []string, name string, args ...string,
) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		message := strings.TrimSpace(string(exit.Stderr))
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, message)
	}
	return strings.TrimSpace(string(out)), err
}

// commitTime is SOURCE_DATE_EPOCH, or the time of the commit.
func commitTime(ctx context.Context, root string) (time.Time, error) {
	text, from := os.Getenv("SOURCE_DATE_EPOCH"), "SOURCE_DATE_EPOCH"
	if text == "" {
		var err error
		from = "git log"
		if text, err = output(ctx, root, nil, "git", "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, fmt.Errorf("%w: outside of a checkout set SOURCE_DATE_EPOCH", err)
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %q: expected seconds since 1970", from, text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// environment makes Go build for a target, for every CPU of its architecture.
func (t target) environment() []string {
	return []string{"GOOS=" + t.os, "GOARCH=" + t.arch, "GOAMD64=v1", "GOARM64=v8.0"}
}

// build builds the command without cgo, symbols and names of directories.
func (r *release) build(ctx context.Context, env []string, file string) error {
	_, err := output(ctx, r.root, append(env, "CGO_ENABLED=0"), "go", "build",
		"-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", file, "./cmd/plume")
	return err
}

// versionOf is the version of a built command, without its v.
func versionOf(file string) (string, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	version, ok := strings.CutPrefix(info.Main.Version, "v")
	if !ok {
		return "", fmt.Errorf("the version of the command is %q: expected a tag or a commit, "+
			"which a checkout under git has", info.Main.Version)
	}
	return version, nil
}

// shells are the names of the completions' files, as each shell looks for them.
var shells = []struct{ name, file string }{
	{"bash", "plume"}, {"zsh", "_plume"}, {"fish", "plume.fish"}, {"powershell", "plume.ps1"},
}

// documents are the files of an archive beside the command and its licences.
func (r *release) documents(ctx context.Context, host string) (all []entry, err error) {
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		text, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		all = append(all, entry{name, plain, text})
	}
	for _, s := range shells {
		script, err := output(ctx, "", nil, host, "completion", s.name)
		if err != nil {
			return nil, err
		}
		name := "completions/" + s.name + "/" + s.file
		all = append(all, entry{name, plain, []byte(script + "\n")})
	}
	pages := filepath.Join(r.scratch, "man")
	if err := os.Mkdir(pages, 0o777); err != nil {
		return nil, err
	}
	_, err = output(ctx, "", nil, host, "man", "--date", r.time.Format(time.DateOnly), pages)
	if err != nil {
		return nil, err
	}
	manual, err := folder(pages, "man")
	if err != nil {
		return nil, err
	}
	deploy, err := folder(filepath.Join(r.root, "cmd", "plume", "deploy"), "deploy")
	return append(append(all, manual...), deploy...), err
}

// folder are the files of a directory, under another name.
func folder(dir, name string) (all []entry, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		mode := plain
		if strings.HasPrefix(string(text), "#!") {
			mode = executable
		}
		all = append(all, entry{name + "/" + f.Name(), mode, text})
	}
	return all, nil
}
