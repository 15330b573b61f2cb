// Package files lists the files of a folder, or of a .zip or .tar archive, and gives their
// contents.
//
// Links are followed, within an archive to its own members. Names are bytes: they need not be
// UTF-8. What operating systems and network storage leave between a user's files is passed over,
// and told.
package files

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// File is a file of a source.
type File struct {
	Name string // relative to the source, slashes between the parts
	Size int64  // in bytes, as the source has it
	err  error  // why it cannot be read, where that is known already
	at   any    // where its source finds it
}

// Broken reports whether it is known that the file cannot be read: a link that leads nowhere.
func (f File) Broken() bool { return f.err != nil }

// Note receives an entry that is passed over: its kind, in the plural, and its name.
type Note func(kind, name string)

// The kinds of sources.
const Folder, Zip, Tar = "a directory", "a zip archive", "a tar archive"

// See receives the content of files[i], or the error of opening it. The content ends with the call.
type See func(i int, c raster.Content, err error)

// Source is a folder or an archive.
type Source interface {
	// Kind is Folder, Zip or Tar.
	Kind() string
	// List lists the files, sorted by name.
	List(ctx context.Context, note Note) ([]File, error)
	// Visit calls see for each of the files, on all cores.
	Visit(ctx context.Context, files []File, see See) error
	Close() error
}

// Open opens a directory or an archive, by its content. It returns nil for other files.
func Open(ctx context.Context, path string) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return folder(path), nil
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	return openArchive(ctx, path)
}

// entry is what a folder holds under one name.
type entry struct {
	name string
	kind fs.FileMode // type bits: of a folder, a link, a regular or a special file
	size int64
	at   any
	err  error // why it cannot be read
}

// tree is what a walk goes through. Paths are relative, with slashes; "" is the source itself.
type tree interface {
	// entries lists a folder.
	entries(path string) ([]entry, error)
	// follow resolves the links in a path: the real path, by which folders are known again, and
	// what is there.
	follow(path string) (real string, e entry, err error)
}

// walk lists the files of a tree. Links to folders come last: a folder that has been walked is not
// walked again, be the link part of a loop or not.
type walk struct {
	ctx   context.Context
	tree  tree
	note  Note
	files []File
	seen  map[string]bool // real paths of the folders walked
	links []link          // to folders
}

type link struct{ path, from string } // from: the real path of its folder

func list(ctx context.Context, t tree, note Note) ([]File, error) {
	return Promptly(ctx, func() ([]File, error) { return walked(ctx, t, note) })
}

func walked(ctx context.Context, t tree, note Note) ([]File, error) {
	w := &walk{ctx: ctx, tree: t, note: note, seen: map[string]bool{}}
	real, _, err := t.follow("")
	if err != nil {
		return nil, err
	}
	if err := w.folder("", real); err != nil {
		return nil, err
	}
	for len(w.links) > 0 {
		l := w.links[0]
		w.links = w.links[1:]
		if err := w.linked(l); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(w.files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return w.files, nil
}

func (w *walk) folder(path, real string) error {
	w.seen[real] = true
	entries, err := w.tree.entries(path)
	if err != nil {
		return fmt.Errorf("the folder %s cannot be listed: %w; make it readable or move it away",
			strconv.Quote("./"+path), plain(err))
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(join(path, e.name), real, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(path, parent string, e entry) error {
	if e.kind&fs.ModeSymlink == 0 {
		return w.resolved(path, join(parent, e.name), e)
	}
	_, to, err := w.tree.follow(path)
	kind := leaving(e.name, err == nil && to.kind.IsDir())
	switch {
	case kind != "":
		w.note(kind, path)
	case err != nil:
		w.files = append(w.files, File{Name: path, err: fmt.Errorf("is a broken link: %w", err)})
	case to.kind.IsDir():
		w.links = append(w.links, link{path, parent})
	default:
		to.name = e.name
		return w.resolved(path, "", to)
	}
	return nil
}

// resolved takes an entry that is no link.
func (w *walk) resolved(path, real string, e entry) error {
	if kind := leaving(e.name, e.kind.IsDir()); kind != "" {
		if e.kind.IsDir() {
			path += "/"
		}
		w.note(kind, path)
		return nil
	}
	switch {
	case e.kind.IsDir() && w.seen[real]:
		w.note("folders met a second time", path+"/")
	case e.kind.IsDir():
		return w.folder(path, real)
	case !e.kind.IsRegular():
		w.note("special files", path)
	default:
		w.files = append(w.files, File{Name: path, Size: e.size, at: e.at, err: e.err})
	}
	return nil
}

// linked follows a link to a folder.
func (w *walk) linked(l link) error {
	real, _, err := w.tree.follow(l.path)
	switch {
	case err != nil:
		return err
	case real == l.from || strings.HasPrefix(l.from, strings.TrimSuffix(real, "/")+"/"):
		w.note("link loops", l.path)
	case w.seen[real]:
		w.note("folders met a second time", l.path+"/")
	default:
		return w.folder(l.path, real)
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return strings.TrimSuffix(path, "/") + "/" + name
}
