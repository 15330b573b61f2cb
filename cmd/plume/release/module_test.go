package main

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

const modulePath = "github.com/plume-ml/plume"

// moduleRoot is the directory of the module.
func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// moduleZip is what a module proxy makes of the commit, as the given version.
func moduleZip(t *testing.T, version string) []byte {
	t.Helper()
	root := moduleRoot(t)
	if _, err := exec.Command("git", "-C", root, "rev-parse", "HEAD").Output(); err != nil {
		t.Skip("this is no checkout under git")
	}
	clone := t.TempDir() // a linked work tree is no repository for modzip
	if _, err := exec.Command("git", "clone", "-q", root, clone).Output(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	m := module.Version{Path: modulePath, Version: version}
	if err := modzip.CreateFromVCS(&out, m, clone, "HEAD", ""); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// "go install module/cmd/plume@version" refuses a module with replacements, and needs all embedded
// files in the module's archive, which has limits of its own.
func TestModule(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Replace) > 0 || len(file.Exclude) > 0 || file.Module.Mod.Path != modulePath {
		t.Errorf("go.mod: module %s, %d replacements, %d exclusions: go install refuses it",
			file.Module.Mod.Path, len(file.Replace), len(file.Exclude))
	}
	content := moduleZip(t, "v0.0.1")
	files, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, f := range files.File {
		has[strings.TrimPrefix(f.Name, modulePath+"@v0.0.1/")] = true
	}
	for _, name := range []string{
		"LICENSE", "cmd/plume/main.go", "trainer/data/embedded/digits.csv.gz",
		"trainer/page/assets/uplot.LICENSE",
	} {
		if !has[name] {
			t.Errorf("the module's archive lacks %s", name)
		}
	}
	if len(content) > modzip.MaxZipFile/4 {
		t.Errorf("the module's archive has %d bytes, the limit is %d", len(content),
			modzip.MaxZipFile)
	}
}

// TestInstall installs the commit as a user does, from a module proxy that is a directory.
func TestInstall(t *testing.T) {
	if !*full {
		t.Skip("with -full")
	}
	const version = "v0.9.9"
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(modulePath), "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	mod, err := exec.Command("git", "-C", moduleRoot(t), "show", "HEAD:go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".zip": moduleZip(t, version),
		version + ".mod":  mod,
		version + ".info": []byte(`{"Version": "` + version + `", "Time": "2026-12-01T00:00:00Z"}`),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	cache, err := output(ctx, "", nil, "go", "env", "GOMODCACHE")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	downloads := filepath.ToSlash(filepath.Join(cache, "cache", "download"))
	_, err = output(ctx, bin, []string{
		"GOPROXY=file://" + filepath.ToSlash(proxy) + ",file://" + downloads, "GOSUMDB=off",
		"GOMODCACHE=" + t.TempDir(), "GOFLAGS=-modcacherw -trimpath", "GOBIN=" + bin,
		"CGO_ENABLED=0",
	}, "go", "install", modulePath+"/cmd/plume@latest")
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(bin, target{os: runtime.GOOS}.binary())
	got, err := output(ctx, bin, nil, command, "--version")
	if err != nil || got != "plume version "+version {
		t.Errorf("%q, %v", got, err)
	}
	if out, err := output(ctx, bin, nil, command, tiny("run")...); err != nil {
		t.Errorf("%s: %v", out, err)
	}
}

// tiny are the arguments of a training that takes a moment.
func tiny(out string) []string {
	return strings.Fields("train -q --data digits --epochs 1 --latent 8 --decoder-widths 16 " +
		"--score-width 16 --score-blocks 1 --score-features 8 --batch-repeats 1 " +
		"--eval-samples 64 --out " + out)
}
