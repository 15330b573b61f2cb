package main

import (
	"bytes"
	"context"
	"debug/elf"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var (
	full  = flag.Bool("full", false, "make releases, compare, unpack and run them: some minutes")
	cold  = flag.Bool("cold", true, "compile everything again for the second of them")
	names = flag.String("targets", join(targets), "`list` of what is made with -full")
)

// maxBinary is the limit for the size of a command, in bytes: that of today and a tenth.
const maxBinary = 40 << 20

// TestRelease makes a release of the commit twice, in clones at different places, with different
// caches, time zones and rights of new files: it is the same to the bit. Its commands for Linux are
// static, run (under qemu, if they are for another CPU), and train.
func TestRelease(t *testing.T) {
	if !*full {
		t.Skip("with -full")
	}
	first := makeRelease(t, "here", "TZ=UTC")
	env := []string{"TZ=Asia/Tokyo", "HOSTNAME=elsewhere"}
	if *cold {
		env = append(env, "GOCACHE="+t.TempDir())
	}
	second := makeRelease(t, filepath.Join("another", "place", "with a long name"), env...)
	sums, err := os.ReadFile(filepath.Join(first, marker))
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(second, marker))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sums, again) {
		t.Errorf("two releases of a commit differ:\n%s\n%s", sums, again)
	}
	if _, err := exec.LookPath("sha256sum"); err == nil {
		check := exec.Command("sha256sum", "--strict", "-c", marker)
		check.Dir = first
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	chosen, err := parseTargets(*names)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range chosen {
		t.Run(target.String(), func(t *testing.T) { checkFiles(t, first, target) })
	}
}

// makeRelease returns the directory of a release of a clone.
func makeRelease(t *testing.T, place string, env ...string) string {
	t.Helper()
	ctx := context.Background()
	clone := filepath.Join(t.TempDir(), place)
	if _, err := output(ctx, "", nil, "git", "clone", "-q", moduleRoot(t), clone); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "dist") // a file in the clone would make it differ
	args := []string{"-c", `umask "$0"; exec "$@"`, "022", "go", "run", "./cmd/plume/release",
		"-o", dir, "-targets", *names}
	if place != "here" {
		args[2] = "077"
	}
	if _, err := output(ctx, clone, env, "sh", args...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkFiles checks the files of a target.
func checkFiles(t *testing.T, dir string, target target) {
	pattern := "plume_*_" + target.os + "_" + target.arch + ".[tz]*"
	archives, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(archives) != 1 {
		t.Fatalf("archives %v, %v", archives, err)
	}
	base := strings.TrimSuffix(strings.TrimSuffix(archives[0], ".zip"), ".tar.gz")
	unpacked := t.TempDir()
	unpack := []string{"tar", "-xzf", archives[0], "-C", unpacked}
	if target.os == "windows" {
		unpack = []string{"unzip", "-q", archives[0], "-d", unpacked}
	}
	execute(t, unpack...)
	inside := filepath.Join(unpacked, filepath.Base(base))
	for _, name := range []string{
		target.binary(), "LICENSE", "README.md", "THIRD_PARTY", "man/plume-train.1",
		"completions/bash/plume", "completions/zsh/_plume", "completions/fish/plume.fish",
		"completions/powershell/plume.ps1", "deploy/plume@.service",
	} {
		if info, err := os.Stat(filepath.Join(inside, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	command := filepath.Join(inside, target.binary())
	if info, err := os.Stat(command); err == nil && info.Size() > maxBinary {
		t.Errorf("the command has %d bytes, more than %d", info.Size(), maxBinary)
	}
	if target.os != "linux" {
		return
	}
	checkStatic(t, command)
	checkCommand(t, target, command)
	checkDeb(t, target, base+".deb")
	if target.arch == runtime.GOARCH {
		checkImage(t, command)
	}
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Log("rpm is not installed: the .rpm was not looked at")
		return
	}
	info := execute(t, "rpm", "-qip", base+".rpm")
	if !strings.Contains(info, "License     : Apache-2.0") {
		t.Error(info)
	}
	list := execute(t, "rpm", "-qlp", base+".rpm")
	for _, want := range []string{"/usr/bin/plume\n", "/site-functions/_plume\n"} {
		if !strings.Contains(list, want) {
			t.Errorf("the .rpm lacks %q: %s", want, list)
		}
	}
}

// checkDeb unpacks a package and runs its command.
func checkDeb(t *testing.T, target target, file string) {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Log("dpkg-deb is not installed: the .deb was not looked at")
		return
	}
	dir := t.TempDir()
	execute(t, "dpkg-deb", "-x", file, dir)
	checkCommand(t, target, filepath.Join(dir, "usr", "bin", "plume"))
	if got := execute(t, "dpkg-deb", "-f", file, "Architecture"); got != target.arch+"\n" {
		t.Errorf("architecture %q", got)
	}
	for _, name := range []string{
		"man/man1/plume.1.gz", "bash-completion/completions/plume", "doc/plume/copyright",
		"doc/plume/changelog.Debian.gz", "doc/plume/THIRD_PARTY",
		"fish/vendor_completions.d/plume.fish",
	} {
		if _, err := os.Stat(filepath.Join(dir, "usr", "share", name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := exec.LookPath("lintian"); err != nil {
		t.Log("lintian is not installed: the .deb was not checked by it")
		return
	}
	// A static command is what this package is for.
	execute(t, "lintian", "--allow-root", "--no-user-dirs", "--fail-on", "error", "--suppress-tags",
		"statically-linked-binary,embedded-library", file)
}

// checkStatic refuses a command that needs a dynamic linker.
func checkStatic(t *testing.T, file string) {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dynamic := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool {
		return p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC
	})
	if dynamic {
		t.Errorf("%s is not static", file)
	}
}

// checkCommand runs a command for Linux, and lets it train.
func checkCommand(t *testing.T, target target, file string) {
	t.Helper()
	var emulator []string
	if target.arch != runtime.GOARCH {
		const qemu = "qemu-aarch64-static"
		if _, err := exec.LookPath(qemu); err != nil {
			t.Fatalf("%s is missing: sudo apt-get install qemu-user-static", qemu)
		}
		emulator = []string{qemu}
	}
	command := append(emulator, file)
	text := execute(t, append(command, "version")...)
	for _, want := range []string{"commit ", "linux/" + target.arch, "without cgo"} {
		if !strings.Contains(text, want) {
			t.Errorf("plume version lacks %q: %s", want, text)
		}
	}
	if strings.Contains(text, "not committed") {
		t.Errorf("the release is not that of the commit: %s", text)
	}
	out := filepath.Join(t.TempDir(), "run")
	execute(t, append(command, tiny(out)...)...)
	state := filepath.Join(out, "checkpoints", "latest", "state.safetensors")
	if info, err := os.Stat(state); err != nil || info.Size() == 0 {
		t.Errorf("%v", err)
	}
}

// execute runs a command, which must succeed, and returns what it prints.
func execute(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
