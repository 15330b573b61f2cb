package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var sample = []entry{
	{"plume_1_linux_amd64/plume", executable, []byte("binary")},
	{"plume_1_linux_amd64/man/plume.1", plain, []byte("page")},
}

// when is a time whose zone is not that of the machine.
var when = time.Date(2026, 12, 1, 2, 3, 4, 0, time.FixedZone("elsewhere", 5*3600))

// Archives have their files with modes, one time and no user's name.
func TestTarball(t *testing.T) {
	packed, err := tarball(sample, when)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if stream.Name != "" || !stream.ModTime.IsZero() {
		t.Errorf("the stream says %q, %v", stream.Name, stream.ModTime)
	}
	files := tar.NewReader(stream)
	for _, want := range sample {
		header, err := files.Next()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err != nil || header.Name != want.name || header.Mode != int64(want.mode) ||
			!header.ModTime.Equal(when) || header.Uid != 0 || header.Gid != 0 ||
			header.Uname != "root" || !bytes.Equal(content, want.content) {
			t.Errorf("%+v, %q, %v", header, content, err)
		}
	}
	if _, err := files.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("more files: %v", err)
	}
}

func TestZipped(t *testing.T) {
	packed, err := zipped(sample, when)
	if err != nil {
		t.Fatal(err)
	}
	files, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil || len(files.File) != len(sample) {
		t.Fatalf("%v", err)
	}
	for i, f := range files.File {
		if f.Name != sample[i].name || f.Mode() != sample[i].mode || !f.Modified.Equal(when) {
			t.Errorf("%+v", f.FileHeader)
		}
	}
}

// Files go where Debian's and Fedora's shells, man, systemd and people look for them.
func TestPlace(t *testing.T) {
	all := []entry{
		{"plume", executable, []byte("binary")}, {"man/plume.1", plain, []byte("page")},
		{"completions/zsh/_plume", plain, nil}, {"completions/powershell/plume.ps1", plain, nil},
		{"deploy/plume@.service", plain, nil}, {"deploy/README.md", plain, nil},
		{"THIRD_PARTY", plain, []byte("theirs")}, {"LICENSE", plain, nil},
	}
	files, err := place(t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, strings.TrimSpace(f.Place+" "+f.Mode+" "+f.Only))
	}
	want := []string{
		"/usr/bin/plume 0755", "/usr/share/man/man1/plume.1.gz 0644",
		"/usr/share/zsh/vendor-completions/_plume 0644 deb",
		"/usr/share/zsh/site-functions/_plume 0644 rpm",
		"/usr/lib/systemd/system/plume@.service 0644",
		"/usr/share/doc/plume/deploy/README.md 0644", "/usr/share/doc/plume/THIRD_PARTY 0644",
		"/usr/share/doc/plume/copyright 0644",
		"/usr/share/licenses/plume/LICENSE 0644 rpm",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A directory that is no release's is not emptied.
func TestClear(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(mine, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	r := &release{out: dir}
	if err := r.clear(); err == nil || !strings.Contains(err.Error(), "SHA256SUMS") {
		t.Errorf("%v", err)
	}
	r.out = filepath.Join(dir, "new", "release")
	if err := errors.Join(r.clear(), os.WriteFile(filepath.Join(r.out, "x"), nil, 0o666),
		r.clear()); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(r.out)
	if err != nil || len(left) != 1 || left[0].Name() != marker {
		t.Errorf("%v, %v", left, err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}

func TestParseTargets(t *testing.T) {
	got, err := parseTargets("linux/arm64, windows/amd64")
	if err != nil || !slices.Equal(got, []target{{"linux", "arm64"}, {"windows", "amd64"}}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "linux", "plan9/amd64"} {
		if _, err := parseTargets(text); err == nil ||
			!strings.Contains(err.Error(), "linux/arm64") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A module without a licence cannot be handed on.
func TestNoLicence(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := licencesOf(&out, "example.org/x", dir); err == nil {
		t.Error("a module without a licence was accepted")
	}
	for _, name := range []string{"LICENSE", "LICENSE-SIL", "license.txt", "README.md"} {
		text := []byte("text of " + name)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	err := licencesOf(&out, "example.org/x", dir)
	if err != nil || strings.Count(out.String(), "text of ") != 3 ||
		strings.Contains(out.String(), "README") {
		t.Errorf("%v, %q", err, out.String())
	}
}
