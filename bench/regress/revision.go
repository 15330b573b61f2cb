package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// output runs a command and returns what it prints, without the last newline.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		message := strings.TrimSpace(string(exit.Stderr))
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, message)
	}
	return strings.TrimSpace(string(out)), err
}

// moduleRoot is the root directory of the module that the current directory belongs to.
func moduleRoot(ctx context.Context) (string, error) {
	file, err := output(ctx, "", "go", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	if file == "" || file == os.DevNull {
		return "", fmt.Errorf("the current directory is not in a Go module")
	}
	return filepath.Dir(file), nil
}

// state labels the tree: the commit, and whether files differ from it.
func state(ctx context.Context, root string) string {
	commit, err := output(ctx, root, "git", "rev-parse", "--short", "HEAD")
	if err != nil {
		return "unversioned"
	}
	changes, err := output(ctx, root, "git", "status", "--porcelain")
	if err != nil || changes != "" {
		return commit + "-dirty"
	}
	return commit
}

// checkout puts a commit into a worktree of its own in dir. It returns the directory of the module
// there, the short name of the commit, and a function that removes the worktree.
func checkout(
	ctx context.Context, root, revision, dir string,
) (module, commit string, remove func() error, err error) {
	commit, err = output(ctx, root, "git", "rev-parse", "--short", "--verify", "--quiet",
		"--end-of-options", revision+"^{commit}")
	if err != nil {
		err = fmt.Errorf("base %q: neither a file nor a commit of this repository", revision)
		return "", "", nil, err
	}
	prefix, err := output(ctx, root, "git", "rev-parse", "--show-prefix")
	if err != nil {
		return "", "", nil, err
	}
	tree := filepath.Join(dir, "tree")
	if _, err := output(ctx, root, "git", "worktree", "add", "--detach", tree, commit); err != nil {
		return "", "", nil, err
	}
	remove = func() error { // even after ctx has ended
		ctx := context.WithoutCancel(ctx)
		_, err := output(ctx, root, "git", "worktree", "remove", "--force", tree)
		return err
	}
	return filepath.Join(tree, prefix), commit, remove, nil
}
