package data

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// parts are the names, in lower case, of folders that are splits of a data set and not classes. The
// value says whether the part is for training.
var parts = map[string]bool{
	"train": true, "training": true,
	"val": false, "valid": false, "validation": false, "test": false, "testing": false,
	"dev": false, "eval": false, "holdout": false,
}

// folderBelow returns the first folder of a name below root; "" if the picture is in none.
func folderBelow(name, root string) string {
	folder, _, inside := strings.Cut(name[len(root):], "/")
	if !inside {
		return ""
	}
	return folder
}

// division is the folders that hold pictures, by what their names say.
type division struct {
	training, held []string // parts of a data set
	others         []string
}

func divisionOf(names []string, root string) division {
	var d division
	for _, name := range names {
		folder := folderBelow(name, root)
		isTraining, isPart := parts[strings.ToLower(folder)]
		to := &d.held
		switch {
		case folder == "":
			continue
		case !isPart:
			to = &d.others
		case isTraining:
			to = &d.training
		}
		if !slices.Contains(*to, folder) {
			*to = append(*to, folder)
		}
	}
	return d
}

// unclear says why the part for training cannot be chosen; "" if it can.
func (d division) unclear() string {
	switch {
	case len(d.others) > 0:
		return "and stand beside " + strings.Join(firstOf(d.others, maxListed), ", ")
	case len(d.training) == 0:
		return "and none of them is called train"
	case len(d.training) > 1:
		return "and more than one of them is for training"
	}
	return ""
}

// takeTraining passes over all pictures but those in the folder for training, if the folders divide
// the data set into parts. One folder named so among others may be a class: trains among vehicles.
func (g *gallery) takeTraining() error {
	names := g.names()
	root := commonFolder(names)
	d := divisionOf(names, root)
	if len(d.training)+len(d.held) < 2 {
		return nil
	}
	if why := d.unclear(); why != "" {
		return fmt.Errorf("data: %s: its folders %s are parts of a data set, %s; give the path of "+
			"the one to train on", path.Join(g.path, root),
			strings.Join(slices.Concat(d.training, d.held), ", "), why)
	}
	training := d.training[0]
	g.pictures = slices.DeleteFunc(g.pictures, func(p picture) bool {
		folder := folderBelow(p.file.Name, root)
		switch folder {
		case training:
			return false
		case "":
			g.summary.skip(g.called()+" beside "+training, p.file.Name)
		default:
			g.summary.skip(folder+" "+g.called(), p.file.Name)
		}
		return true
	})
	return nil
}

// names are the names of the pictures.
func (g *gallery) names() []string {
	names := make([]string, len(g.pictures))
	for i, p := range g.pictures {
		names[i] = p.file.Name
	}
	return names
}
