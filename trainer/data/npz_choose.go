package data

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/suggest"
)

// choose is the member that holds the images: the one that was named, or the only one that can.
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

// asked is the member of that name.
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

// Parts of names that tell what the images are for.
var (
	trainWords = []string{"train", "training"}
	testWords  = []string{"test"}
	validWords = []string{"val", "valid", "validation"}
)

// onlyTraining is the one member whose name says that it is for training, if those of all
// others say that they are for tests; otherwise -1.
func onlyTraining(members []member) int {
	found := -1
	for i, m := range members {
		switch {
		case hasPart(m.name, trainWords...):
			if found >= 0 {
				return -1
			}
			found = i
		case !hasPart(m.name, testWords...) && !hasPart(m.name, validWords...):
			return -1
		}
	}
	return found
}

// hasPart reports whether one of the parts of a name, between underlines and the like, is one
// of these words.
func hasPart(name string, words ...string) bool {
	between := func(r rune) bool { return strings.ContainsRune("_-./ ", r) }
	for part := range strings.FieldsFuncSeq(strings.ToLower(name), between) {
		if slices.Contains(words, part) {
			return true
		}
	}
	return false
}

func isLabelName(name string) bool {
	return hasPart(name, "y", "ytrain", "ytest", "label", "labels", "target", "targets", "class",
		"classes", "fine", "coarse")
}

// addLabels makes the data set read its labels from the member that is named like them and as
// long as the images, and returns its name; empty if there is none. Several are passed over.
func (f *Found) addLabels(path string, images member, members []member, opt Options) string {
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
	read := f.read
	f.read = func(ctx context.Context) (*array, error) {
		a, err := read(ctx)
		if err != nil {
			return nil, err
		}
		a.labels, err = readNPZLabels(ctx, path, labels)
		return a, err
	}
	f.Bytes, f.labelled = f.Bytes+memory.Array[int32](images.header.Dims[0]), true
	f.Summary.Format += ", labels of its array " + labels.name
	return labels.name
}

// warnOfUnfit tells of an array that is named like the labels of the images and cannot be them.
func warnOfUnfit(path string, images member, members []member, opt Options) {
	for _, m := range members {
		if m.name != images.name && isLabelName(m.name) && sameSplit(m.name, images.name) {
			opt.warn("data: %s: the images of %s have no labels, since %v is not one whole number "+
				"for each of them", path, images.name, m)
			return
		}
	}
}

// labels reports whether m can be the labels of the images: by its name, and integers, one for
// each.
func (m member) labels(images member) bool {
	d := m.header.Dims
	likely := isLabelName(m.name) || images.name == "arr_0" && m.name == "arr_1"
	return likely && m.header.Dtype.Integer() &&
		(len(d) == 1 || len(d) == 2 && d[1] == 1) && d[0] == images.header.Dims[0]
}

// sameSplit reports whether labels named so belong to images named so: both for training, or
// both for a test, or neither.
func sameSplit(labels, images string) bool {
	for _, words := range [][]string{trainWords, testWords, validWords} {
		if hasPart(labels, words...) != hasPart(images, words...) {
			return false
		}
	}
	return true
}

func readNPZLabels(ctx context.Context, path string, m member) ([]int32, error) {
	s, err := openMember(ctx, path, m.file.Name)
	if err != nil {
		return nil, err
	}
	defer s.close()
	h, err := s.arrayHeader()
	if err != nil {
		return nil, err
	}
	if fmt.Sprint(h) != fmt.Sprint(m.header) {
		return nil, s.fail("has changed since it was looked at")
	}
	return readLabels(s, h.Dims[0], h.Dtype)
}
