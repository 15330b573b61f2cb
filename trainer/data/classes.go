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

// labelling holds the labels of the pictures of a source.
type labelling struct {
	of      []int32 // each picture's, -1: unknown
	classes []string
}

// ClassNames are the names of the classes, by their labels, where the source of the images gives
// them names; otherwise nil.
func ClassNames(ds Dataset) []string {
	switch ds := ds.(type) {
	case *subset:
		return ClassNames(ds.Dataset)
	case *array:
		return slices.Clone(ds.classes)
	}
	return nil
}

// labelFiles are the names of files that give the labels of the pictures beside and below them.
var labelFiles = []string{
	"dataset.json", "labels.json", "labels.csv", "labels.tsv", "metadata.csv", "metadata.jsonl",
}

// findLabels takes the labels of a file beside the pictures or, without one, of the folders.
func (g *gallery) findLabels(ctx context.Context, source files.Source, list []files.File) error {
	if g.opt.Labels != "" { // those count
		if rel, err := filepath.Rel(g.path, g.opt.Labels); err == nil {
			name := filepath.ToSlash(rel)
			if slices.ContainsFunc(list, func(f files.File) bool { return f.Name == name }) {
				g.summary.unpass(otherKinds[ending(name)], name)
			}
		}
		return nil
	}
	names := make([]string, len(g.pictures))
	for i, p := range g.pictures {
		names[i] = p.file.Name
	}
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
	g.labels = folderClasses(names, root)
	switch {
	case g.labels == nil:
		g.warnOfStray(names, root)
	case allParts(g.labels.classes):
		g.opt.warn("data: %s: the folders %s are read together, and give no labels: to train on "+
			"one of them, give its path", g.path, strings.Join(g.labels.classes, ", "))
		g.labels = nil
	default:
		g.summary.LabelsFrom = "folders"
	}
	return nil
}

// warnOfStray tells that folders would be classes if all pictures lay in them. Where more pictures
// lie beside them than in them, that is not what they are.
func (g *gallery) warnOfStray(names []string, root string) {
	inside := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !strings.Contains(name[len(root):], "/")
	})
	if len(inside) <= len(names)/2 || folderClasses(inside, root) == nil {
		return
	}
	var beside tally
	for _, name := range names {
		beside.add(!strings.Contains(name[len(root):], "/"), name)
	}
	g.opt.warn("data: %s: the folders give no labels, because of %s beside them (%s): move what "+
		"lies there into a folder, or away", g.path, counted(beside.count,
		"pictures"), beside.list())
}

// labelsIn takes the labels of a file, if it holds any of these pictures.
func (g *gallery) labelsIn(
	ctx context.Context, source files.Source, f files.File, names []string,
) (found bool, err error) {
	var text []byte
	var failed error
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
	g.summary.unpass(otherKinds[ending(f.Name)], f.Name)
	return true, nil
}

// label gives an array the labels of its pictures.
func (g *gallery) label(a *array) {
	if g.labels == nil {
		return
	}
	a.classes = g.labels.classes
	if a.labels = g.labels.of; a.rows != nil {
		a.labels = pick(a.labels, a.rows)
	}
}

// commonFolder is the folder, with a slash at its end, in which all pictures lie and which holds
// pictures or several folders; "" for the source itself.
func commonFolder(names []string) string {
	first, last := names[0], names[len(names)-1] // they are sorted
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	return first[:strings.LastIndexByte(first[:n], '/')+1]
}

// parts are the names, in lower case, of folders that are no classes but parts of a data set.
var parts = map[string]bool{
	"train": true, "training": true, "val": true, "valid": true, "validation": true,
	"test": true, "testing": true, "dev": true, "eval": true, "holdout": true,
}

func allParts(folders []string) bool {
	for _, f := range folders {
		if !parts[strings.ToLower(f)] {
			return false
		}
	}
	return true
}

// folderClasses are the folders as classes; nil if a picture lies in none. Names of pictures are
// sorted.
func folderClasses(names []string, root string) *labelling {
	l := &labelling{of: make([]int32, len(names))}
	number := map[string]int32{}
	folders := make([]string, len(names))
	for i, name := range names {
		folder, _, inside := strings.Cut(name[len(root):], "/")
		if !inside {
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
