package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// entry is a file of an archive or a package.
type entry struct {
	name    string
	mode    fs.FileMode
	content []byte
}

const (
	plain      fs.FileMode = 0o644
	executable fs.FileMode = 0o755
)

// name is that of a target's files, without an ending: plume_1.2.3_linux_amd64.
func (r *release) name(t target) string {
	return fmt.Sprintf("plume_%s_%s_%s", r.version, t.os, t.arch)
}

// archive writes the .tar.gz of a target, or for Windows the .zip, in which all files are in one
// directory.
func (r *release) archive(t target, all []entry) error {
	pack, ending := tarball, ".tar.gz"
	if t.os == "windows" {
		pack, ending = zipped, ".zip"
	}
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for i := range sorted {
		sorted[i].name = r.name(t) + "/" + sorted[i].name
	}
	content, err := pack(sorted, r.time)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, r.name(t)+ending), content, 0o666)
}

// tarball packs files that belong to root and were changed at one time.
func tarball(all []entry, changed time.Time) ([]byte, error) {
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	files := tar.NewWriter(compressed)
	for _, e := range all {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.name, Mode: int64(e.mode), Size: int64(len(e.content)),
			ModTime: changed, Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		}
		if err := files.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := files.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func zipped(all []entry, changed time.Time) ([]byte, error) {
	var out bytes.Buffer
	files := zip.NewWriter(&out)
	for _, e := range all {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: changed}
		header.SetMode(e.mode)
		w, err := files.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// gzipped compresses a manual page, as Debian wants it.
func gzipped(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// sums writes SHA256SUMS, as sha256sum -c reads it.
func (r *release) sums() error {
	files, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for _, f := range files {
		if f.Name() == marker {
			continue
		}
		content, err := os.ReadFile(filepath.Join(r.out, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(content), f.Name())
	}
	fmt.Print(out.String())
	return os.WriteFile(filepath.Join(r.out, marker), out.Bytes(), 0o666)
}
