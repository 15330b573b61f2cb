package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// nfpm makes the packages.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.48.0"

//go:embed nfpm.yaml
var nfpmConfig string

// installed is a file of a package: its place, its mode, and the file that is copied there.
type installed struct {
	Place  string
	Mode   string // in octal
	Source string
	Only   string // the kind of package, deb or rpm; both if empty
}

// packages makes the .deb and the .rpm of a target.
func (r *release) packages(ctx context.Context, t target, all []entry) error {
	dir := filepath.Join(r.scratch, "packages-"+t.arch)
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	files, err := place(dir, append(all, entry{debianChangelog, plain, r.debianChangelog()}))
	if err != nil {
		return err
	}
	var config bytes.Buffer
	err = template.Must(template.New("nfpm").Parse(nfpmConfig)).Execute(&config, map[string]any{
		"Version": r.version, "Arch": t.arch, "Files": files,
	})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "nfpm.yaml")
	if err := os.WriteFile(path, config.Bytes(), 0o666); err != nil {
		return err
	}
	epoch := fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix())
	for _, kind := range []string{"deb", "rpm"} {
		_, err := output(ctx, dir, []string{epoch}, "go", "run", nfpm, "package", "-f", path,
			"-p", kind, "-t", filepath.Join(r.out, r.name(t)+"."+kind))
		if err != nil {
			return err
		}
	}
	return nil
}

// place writes the files of a package below dir and says where they belong.
func place(dir string, all []entry) (files []installed, err error) {
	add := func(place string, mode fs.FileMode, content []byte, only string) error {
		source := filepath.Join(dir, fmt.Sprintf("file-%d", len(files)))
		files = append(files, installed{place, fmt.Sprintf("0%o", mode), source, only})
		return os.WriteFile(source, content, 0o666)
	}
	const documents = "/usr/share/doc/plume/"
	for _, e := range all {
		folder, base := filepath.Split(filepath.FromSlash(e.name))
		switch folder = strings.TrimSuffix(filepath.ToSlash(folder), "/"); {
		case base == "plume" && folder == "":
			err = add("/usr/bin/plume", executable, e.content, "")
		case folder == "man":
			err = addGzipped(add, "/usr/share/man/man1/"+base, e.content, "")
		case e.name == "completions/bash/plume":
			err = add("/usr/share/bash-completion/completions/plume", plain, e.content, "")
		case e.name == "completions/zsh/_plume":
			err = add("/usr/share/zsh/vendor-completions/_plume", plain, e.content, "deb")
			if err == nil {
				err = add("/usr/share/zsh/site-functions/_plume", plain, e.content, "rpm")
			}
		case e.name == "completions/fish/plume.fish":
			err = add("/usr/share/fish/vendor_completions.d/plume.fish", plain, e.content, "")
		case e.name == "deploy/plume@.service":
			err = add("/usr/lib/systemd/system/plume@.service", plain, e.content, "")
		case folder == "deploy":
			err = add(documents+"deploy/"+base, plain, e.content, "")
		case e.name == "LICENSE":
			err = add("/usr/share/licenses/plume/LICENSE", plain, e.content, "rpm")
		case e.name == "THIRD_PARTY":
			err = add(documents+"THIRD_PARTY", plain, e.content, "")
			if err == nil {
				err = add(documents+"copyright", plain, []byte(copyright), "")
			}
		case e.name == "CHANGELOG.md":
			err = addGzipped(add, documents+"changelog", e.content, "")
		case e.name == debianChangelog:
			err = addGzipped(add, documents+debianChangelog, e.content, "deb")
		case e.name == "README.md":
			err = add(documents+"README.md", plain, e.content, "")
		}
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func addGzipped(
	add func(string, fs.FileMode, []byte, string) error, place string, content []byte, only string,
) error {
	small, err := gzipped(content)
	if err != nil {
		return err
	}
	return add(place+".gz", plain, small, only)
}

// debianChangelog is the file with the history of a package, as Debian's tools read it.
const debianChangelog = "changelog.Debian"

func (r *release) debianChangelog() []byte {
	const text = "plume (%s-1) unstable; urgency=medium\n\n  * Version %s: see changelog.gz.\n\n" +
		" -- plume developers <plume-ml@users.noreply.github.com>  %s\n"
	version := strings.Replace(r.version, "-", "~", 1) // what sorts before the release itself
	return fmt.Appendf(nil, text, version, r.version, r.time.Format(time.RFC1123Z))
}

// copyright is the file of that name, which Debian wants in every package.
const copyright = `plume, https://github.com/plume-ml/plume
Copyright (C) the authors of plume. Licensed under the Apache License, Version 2.0, which is in
/usr/share/common-licenses/Apache-2.0 on Debian systems. THIRD_PARTY has the licences of the rest.
`
