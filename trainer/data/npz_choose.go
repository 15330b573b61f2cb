package data

import (
	"context"
	"fmt"
	"slices"
	"strings"

	npyfile "github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/suggest"
)

// choose returns the array of images: the one that was named, or the only possible one.
func (a *archive) choose(members []member, name string) (member, error) {
	if name != "" {
		return a.asked(members, strings.TrimSuffix(name, ".npy"))
	}
	var can []member
	for _, m := range members {
		if m.cannot == nil && (len(members) == 1 || m.header.Dims[0] > 1 && !isLabelName(m.name)) {
			can = append(can, m)
		}
	}
	switch {
	case len(can) == 1:
		return can[0], nil
	case len(members) == 1:
		return member{}, a.fail("%s %w", members[0].name, members[0].cannot)
	case len(can) == 0:
		return member{}, a.fail("has no array of images: %s; expected numbers, M x D, "+
			"M x H x W or M x H x W x C; --array NAME takes one whatever its name", list(members))
	}
	if i := onlyTraining(can); i >= 0 {
		return can[i], nil
	}
	return member{}, a.fail("has several arrays that can be images: %s; choose one "+
		"with --array NAME", list(can))
}

// asked returns the array of that name, which Options.Array asked for.
func (a *archive) asked(members []member, name string) (member, error) {
	i := slices.IndexFunc(members, func(m member) bool { return m.name == name })
	if i < 0 {
		var names []string
		for _, m := range members {
			names = append(names, m.name)
		}
		return member{}, a.fail("has no array %q%s; it has %s",
			name, suggest.DidYouMean(name, names), list(members))
	}
	if members[i].cannot != nil {
		return member{}, a.fail("%s %w", members[i].name, members[i].cannot)
	}
	return members[i], nil
}

func list(members []member) string {
	var names []string
	for _, m := range members {
		names = append(names, m.String())
	}
	return strings.Join(firstOf(names, maxListed), ", ")
}

// Words in names of arrays that tell the split.
var (
	trainWords = []string{"train", "training"}
	testWords  = []string{"test"}
	validWords = []string{"val", "valid", "validation"}
)

// onlyTraining returns the index of the only training array if all others are for tests or
// validation, by their names; otherwise -1.
func onlyTraining(members []member) int {
	found := -1
	for i, m := range members {
		switch {
		case hasWord(m.name, trainWords...):
			if found >= 0 {
				return -1
			}
			found = i
		case !hasWord(m.name, testWords...) && !hasWord(m.name, validWords...):
			return -1
		}
	}
	return found
}

// hasWord reports whether a name contains one of the words. Underscores, hyphens, dots, slashes and
// spaces separate the words of a name.
func hasWord(name string, words ...string) bool {
	between := func(r rune) bool { return strings.ContainsRune("_-./ ", r) }
	for part := range strings.FieldsFuncSeq(strings.ToLower(name), between) {
		if slices.Contains(words, part) {
			return true
		}
	}
	return false
}

func isLabelName(name string) bool {
	return hasWord(name, "y", "ytrain", "ytest", "label", "labels", "target", "targets", "class",
		"classes", "fine", "coarse")
}

// findNPZLabels makes Read take the labels from the array that has the name of labels and the
// length of the images. It returns its name, or "" if there is none or more than one.
func (f *Found) findNPZLabels(path string, images member, members []member, opt Options) string {
	var like []member
	for _, m := range members {
		if m.name != images.name && m.labels(images) && sameSplit(m.name, images.name) {
			like = append(like, m)
		}
	}
	if len(like) > 1 {
		opt.warn("data: %s: the images of %s have no labels, since several arrays can be them: %s",
			path, images.name, list(like))
	}
	if len(like) == 0 {
		warnOfUnfit(path, images, members, opt)
	}
	if len(like) != 1 {
		return ""
	}
	labels := like[0]
	f.addLabels(npzLabels{location{path: path, member: labels.file.Name}, labels.header})
	f.Summary.Format += ", labels of its array " + labels.name
	return labels.name
}

// warnOfUnfit warns of an array that has the name of labels but cannot be those of the images.
func warnOfUnfit(path string, images member, members []member, opt Options) {
	for _, m := range members {
		if m.name != images.name && isLabelName(m.name) && sameSplit(m.name, images.name) {
			opt.warn("data: %s: the images of %s have no labels, since %v is not one whole number "+
				"for each of them", path, images.name, m)
			return
		}
	}
}

// labels reports whether m can be the labels of the images: it has the name of labels, and one
// integer for each image.
func (m member) labels(images member) bool {
	d := m.header.Dims
	likely := isLabelName(m.name) || images.name == "arr_0" && m.name == "arr_1"
	return likely && m.header.Dtype.Integer() &&
		(len(d) == 1 || len(d) == 2 && d[1] == 1) && d[0] == images.header.Dims[0]
}

// sameSplit reports whether the names of labels and images tell the same split: training,
// validation, test or none.
func sameSplit(labels, images string) bool {
	for _, words := range [][]string{trainWords, testWords, validWords} {
		if hasWord(labels, words...) != hasWord(images, words...) {
			return false
		}
	}
	return true
}

// npzLabels is an array of labels in an .npz archive.
type npzLabels struct {
	location
	header npyfile.Header
}

func (l npzLabels) readLabels(ctx context.Context, a *array) error {
	s, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	h, err := s.arrayHeader()
	if err != nil {
		return err
	}
	if fmt.Sprint(h) != fmt.Sprint(l.header) {
		return s.fail("has changed since it was first read")
	}
	a.labels, err = readLabels(s, h.Dims[0], h.Dtype)
	return err
}
