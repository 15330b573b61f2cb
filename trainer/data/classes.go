package data

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
)

// labelling is the labels of the pictures of a source.
type labelling struct {
	of      []int32  // label of each picture, -1 if unknown
	classes []string // names by label; nil: none
}

// classNames returns the names of the classes by label, or nil if the source does not name them.
func classNames(ds Dataset) []string {
	switch ds := ds.(type) {
	case *subset:
		return classNames(ds.Dataset)
	case *flipped:
		return classNames(ds.Dataset)
	case *array:
		return slices.Clone(ds.classes)
	}
	return nil
}

// labelFiles are the names of files that hold the labels of the pictures in and below their folder.
var labelFiles = []string{
	"dataset.json", "labels.json", "labels.csv", "labels.tsv", "metadata.csv", "metadata.jsonl",
}

// findLabels takes the labels from a file beside the pictures or, if there is none, from the names
// of the folders. Options.Labels takes precedence over both.
func (g *gallery) findLabels(ctx context.Context, source files.Source, list []files.File) error {
	if g.opt.Labels != "" {
		if rel, err := filepath.Rel(g.path, g.opt.Labels); err == nil {
			name := filepath.ToSlash(rel)
			if slices.ContainsFunc(list, func(f files.File) bool { return f.Name == name }) {
				g.summary.unskip(otherKinds[ending(name)], name)
			}
		}
		return nil
	}
	names := g.names()
	root := commonFolder(names)
	for _, base := range labelFiles {
		for _, name := range slices.Compact([]string{base, root + base}) {
			i := slices.IndexFunc(list, func(f files.File) bool { return f.Name == name })
			if i < 0 {
				continue
			}
			found, err := g.labelsIn(ctx, source, list[i], names)
			if found || err != nil {
				return err
			}
		}
	}
	if g.labels = folderClasses(names, root); g.labels == nil {
		g.warnOfStray(names, root)
	} else {
		g.summary.LabelsFrom = "folders"
	}
	return nil
}

// warnOfStray warns if the folders would be classes but for some pictures beside them. If most
// pictures are beside the folders, these are not meant as classes.
func (g *gallery) warnOfStray(names []string, root string) {
	inside := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return folderBelow(name, root) == ""
	})
	if len(inside) <= len(names)/2 || folderClasses(inside, root) == nil {
		return
	}
	var beside tally
	for _, name := range names {
		beside.add(folderBelow(name, root) == "", name)
	}
	g.opt.warn("data: %s: the folders give no labels, because of %s beside them (%s): move these "+
		"into a folder, or elsewhere", g.path, counted(beside.count, g.called()), beside.list())
}

// labelsIn takes the labels from file f. It warns and returns false if f does not label the
// pictures.
func (g *gallery) labelsIn(
	ctx context.Context, source files.Source, f files.File, names []string,
) (found bool, err error) {
	text, failed, err := g.textOf(ctx, source, f)
	if err != nil {
		return false, sourceError(ctx, g.path, err)
	}
	var t *labelTable
	if failed == nil {
		t, failed = files.Promptly(ctx, func() (*labelTable, error) {
			return parseLabels(g.path+"/"+f.Name, text)
		})
		if ctx.Err() != nil {
			return false, sourceError(ctx, g.path, ctx.Err())
		}
	}
	var of []int32
	var classes []string
	if failed == nil {
		of, classes, failed = t.assign(names, len(names), g.opt.warn)
	}
	if failed != nil {
		g.opt.warn("%v; it gives no labels", failed)
		return false, nil
	}
	g.labels = &labelling{of, classes}
	g.summary.LabelsFrom = f.Name
	g.summary.unskip(otherKinds[ending(f.Name)], f.Name)
	return true, nil
}

// textOf reads file f. failed is an error of the file, err one of the source.
func (g *gallery) textOf(
	ctx context.Context, source files.Source, f files.File,
) (text []byte, failed, err error) {
	err = source.Visit(ctx, []files.File{f}, func(_ int, c raster.Content, err error) {
		switch {
		case err != nil:
			failed = fmt.Errorf("data: %s/%s: %w", g.path, f.Name, err)
		case c.Size() > maxLabelFile:
			failed = fmt.Errorf("data: %s/%s: is longer than %d MiB", g.path, f.Name,
				maxLabelFile>>20)
		default:
			text, failed = io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		}
	})
	return text, failed, err
}

// readLabels gives the images of a, without skipped ones, their labels.
func (l *labelling) readLabels(_ context.Context, a *array) error {
	a.classes = l.classes
	if a.labels = l.of; a.rows != nil {
		a.labels = pick(a.labels, a.rows)
	}
	return nil
}

// commonFolder returns the deepest folder that contains all pictures, with a slash at the end; ""
// is the source itself.
func commonFolder(names []string) string {
	first, last := names[0], names[len(names)-1] // names are sorted
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	return first[:strings.LastIndexByte(first[:n], '/')+1]
}

// folderClasses returns the folders below root as classes, in the order of their names. It returns
// nil if there are fewer than two or if a picture is in none of them.
func folderClasses(names []string, root string) *labelling {
	l := &labelling{of: make([]int32, len(names))}
	number := map[string]int32{}
	folders := make([]string, len(names))
	for i, name := range names {
		folder := folderBelow(name, root)
		if folder == "" {
			return nil
		}
		if folders[i] = folder; number[folder] == 0 {
			number[folder] = 1
			l.classes = append(l.classes, folder)
		}
	}
	if len(l.classes) < 2 {
		return nil
	}
	slices.Sort(l.classes)
	for i, c := range l.classes {
		number[c] = int32(i)
	}
	for i, f := range folders {
		l.of[i] = number[f]
	}
	return l
}
