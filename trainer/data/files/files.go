// Package files lists and reads the files of a folder or of a .zip or .tar archive. Open returns a
// Source; its List gives the files, and its Visit their contents.
//
// Links are followed; those in an archive lead to its own members only. Names are bytes and need
// not be UTF-8. Files that operating systems and network storage add to a user's folders are
// skipped, and reported to the caller.
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
	Size int64  // in bytes, as listed by the source
	err  error  // why it cannot be read, if that is already known
	at   any    // its position in the source
}

// Broken reports whether the file is already known to be unreadable: a broken link.
func (f File) Broken() bool { return f.err != nil }

// Note receives the kind, in the plural, and the name of an entry that is skipped.
type Note func(kind, name string)

// The kinds of sources.
const Folder, Zip, Tar = "a directory", "a zip archive", "a tar archive"

// Visitor receives the content of files[i], or the error of opening it. The content may only be
// used during the call.
type Visitor func(i int, c raster.Content, err error)

// Source is a folder or an archive.
type Source interface {
	// Kind is Folder, Zip or Tar.
	Kind() string
	// List returns the files, sorted by name, and calls note for entries that it skips.
	List(ctx context.Context, note Note) ([]File, error)
	// Visit calls see for each of the files, from several goroutines at once.
	Visit(ctx context.Context, files []File, see Visitor) error
	Close() error
}

// Open opens a directory or an archive, whose format it detects from the content. It returns nil
// for other files.
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

// entry is an entry of a folder.
type entry struct {
	name string
	kind fs.FileMode // type bits only
	size int64
	at   any
	err  error // why it cannot be read
}

// tree is a tree of folders. Paths are relative to the source and have slashes; "" is the source.
type tree interface {
	// entries lists a folder.
	entries(path string) ([]entry, error)
	// follow resolves the links in a path. It returns the real path, which identifies a folder, and
	// the entry there.
	follow(path string) (real string, e entry, err error)
}

// walk lists the files of a tree. It visits each folder once. Links to folders come last, so that
// files are listed by their real paths where these are below the source.
type walk struct {
	ctx   context.Context
	tree  tree
	note  Note
	files []File
	seen  map[string]bool // real paths of the folders walked
	links []link          // to folders
}

type link struct{ path, parent string } // parent: the real path of the folder it is in

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
	kind := skipKind(e.name, err == nil && to.kind.IsDir())
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

// resolved adds an entry that is not a link.
func (w *walk) resolved(path, real string, e entry) error {
	if kind := skipKind(e.name, e.kind.IsDir()); kind != "" {
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
	case real == l.parent || strings.HasPrefix(l.parent, strings.TrimSuffix(real, "/")+"/"):
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
