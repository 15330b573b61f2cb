package files

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// foreign lists the archive and compression formats that are refused, by their first bytes.
var foreign = []struct{ magic, what string }{
	{"BZh", "a bzip2 file"},
	{"\xfd7zXZ\x00", "an xz file"},
	{"\x28\xb5\x2f\xfd", "a Zstandard file"},
	{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
	{"Rar!\x1a\x07", "a RAR archive"},
	{"\x04\x22\x4d\x18", "an LZ4 file"},
}

func openArchive(ctx context.Context, path string) (Source, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	s, err := archiveIn(ctx, f, size)
	if s == nil || err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// archiveIn opens the archive in f, whose format it detects from the content. It returns nil if f
// is not an archive.
func archiveIn(ctx context.Context, f *os.File, size int64) (Source, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	head = head[:n]
	for _, a := range foreign {
		if bytes.HasPrefix(head, []byte(a.magic)) {
			return nil, fmt.Errorf("is %s, which plume does not read: unpack it and give the "+
				"folder, or pack the folder as .tar, .tar.gz or .zip", a.what)
		}
	}
	switch {
	case IsZip(head):
		return newZip(ctx, f, size)
	case isTar(head):
		return &tarFile{f: f, size: size}, nil
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(io.NewSectionReader(f, 0, size))
		if err != nil {
			return nil, nil // the caller reports damaged gzip files
		}
		n, _ := io.ReadFull(z, head[:cap(head)])
		if isTar(head[:n]) {
			return &tarGzip{f: f, size: size}, nil
		}
	}
	return nil, nil
}

// isTar reports whether head begins with a tar header, which has a checksum.
func isTar(head []byte) bool {
	if len(head) < 512 {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head)).Next()
	return err == nil || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) && head[0] != 0
}

// node is a file or folder of an archive.
type node struct {
	entry
	link     string // target of a symbolic link
	children map[string]*node
}

// archive is the tree of an archive's members.
type archive struct{ root *node }

func newArchive() *archive {
	return &archive{&node{entry: entry{kind: fs.ModeDir}, children: map[string]*node{}}}
}

// maxDepth limits how deep the folders of an archive are nested.
const maxDepth = 1000

// add inserts a member into the tree, creating the folders above it. If several members have one
// name, the last one counts, as when they are unpacked.
func (a *archive) add(name string, n *node) error {
	parts := splitName(name)
	if len(parts) == 0 {
		return nil // the folder itself
	}
	if len(parts) > maxDepth {
		return fmt.Errorf("has folders within folders, more than %d deep", maxDepth)
	}
	at := a.root
	for _, p := range parts[:len(parts)-1] {
		next := at.children[p]
		if next == nil || !next.kind.IsDir() {
			next = &node{entry: entry{name: p, kind: fs.ModeDir}, children: map[string]*node{}}
			at.children[p] = next
		}
		at = next
	}
	n.name = parts[len(parts)-1]
	if n.kind.IsDir() {
		if old := at.children[n.name]; old != nil && old.kind.IsDir() {
			return nil
		}
		n.children = map[string]*node{}
	}
	at.children[n.name] = n
	return nil
}

// splitName returns the parts of a member's name. Windows software may separate them by
// backslashes.
func splitName(name string) []string {
	if !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, `\`, "/")
	}
	if name = path.Clean("/" + name)[1:]; name == "" {
		return nil
	}
	return strings.Split(name, "/")
}

func (a *archive) entries(path string) ([]entry, error) {
	_, n, err := a.find(path)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(n.children))
	for _, k := range n.children {
		entries = append(entries, k.entry)
	}
	return entries, nil
}

func (a *archive) follow(path string) (real string, e entry, err error) {
	real, n, err := a.find(path)
	if err != nil {
		return "", entry{}, err
	}
	return "/" + real, n.entry, nil
}

// maxHops limits the links on the way to a member, as operating systems do.
const maxHops = 40

// find resolves a path, following links. It returns the path without links and the node there.
func (a *archive) find(name string) (real string, n *node, err error) {
	hops := 0
	return a.findFrom(name, &hops)
}

func (a *archive) findFrom(name string, hops *int) (real string, n *node, err error) {
	n = a.root
	for _, p := range splitName(name) {
		next := n.children[p]
		if next == nil {
			return "", nil, errors.New("no such member of the archive")
		}
		above := real
		n, real = next, join(real, p)
		if n.kind&fs.ModeSymlink == 0 {
			continue
		}
		if *hops++; *hops > maxHops {
			return "", nil, errors.New("too many links")
		}
		if strings.HasPrefix(n.link, "/") {
			return "", nil, errors.New("leads out of the archive")
		}
		if real, n, err = a.findFrom(path.Join("/", above, n.link), hops); err != nil {
			return "", nil, err
		}
	}
	return real, n, nil
}
