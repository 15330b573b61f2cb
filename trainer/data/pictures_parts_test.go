package data

import (
	"slices"
	"strings"
	"testing"
)

// Of folders that divide a data set the one for training is read, with its own folders as classes.
func TestTrainingPart(t *testing.T) {
	for _, c := range []struct {
		names  string
		files  []string
		labels []int
		passed string // in the summary
	}{
		{
			"train/b/1.png train/a/2.png test/a/3.png test/a/4.png test/b/5.png",
			[]string{"train/a/2.png", "train/b/1.png"}, []int{0, 1},
			"passed over 3 test pictures (test/a/3.png, test/a/4.png, test/b/5.png)",
		},
		{
			"set/Training/1.png set/Training/2.png set/val/3.png set/Test/4.png",
			[]string{"set/Training/1.png", "set/Training/2.png"}, []int{-1, -1},
			"passed over 1 Test picture (set/Test/4.png), 1 val picture (set/val/3.png)",
		},
		{
			"train/a/1.png train/b/2.png val/a/3.png preview.png",
			[]string{"train/a/1.png", "train/b/2.png"}, []int{0, 1},
			"passed over 1 picture beside train (preview.png), 1 val picture (val/a/3.png)",
		},
		// A class called train.
		{
			"train/1.png bus/2.png car/3.png",
			[]string{"bus/2.png", "car/3.png", "train/1.png"}, []int{0, 1, 2}, "",
		},
		// A single folder is no part of anything.
		{
			"train/a/1.png train/b/2.png",
			[]string{"train/a/1.png", "train/b/2.png"}, []int{0, 1}, "",
		},
	} {
		contents := pngFiles(t, strings.Fields(c.names)...)
		paths := archives(t, contents)
		paths["folder"] = folderOf(t, contents)
		for kind, path := range paths {
			f, ds, warnings := found(t, path, Options{})
			var files []string
			for i := range ds.Len() {
				files = append(files, ds.Origin(i).File)
			}
			if !slices.Equal(files, c.files) || !slices.Equal(labelsOf(ds), c.labels) {
				t.Errorf("%s, %s: %q with labels %v", c.names, kind, files, labelsOf(ds))
			}
			said := f.Summary.String()
			unasked := c.passed == "" && len(f.Summary.Skipped) > 0
			if !strings.HasSuffix(said, c.passed) || unasked || len(warnings) > 0 {
				t.Errorf("%s, %s: %s, %q", c.names, kind, said, warnings)
			}
		}
	}
}

// Pictures of other parts may be broken, or of another size.
func TestOtherPartsAreNotRead(t *testing.T) {
	contents := pngFiles(t, "train/1.png", "train/2.png", "test/3.png", "test/4.png")
	contents["test/3.png"] = contents["test/3.png"][:40]
	f, ds, _ := found(t, folderOf(t, contents), Options{})
	if ds.Len() != 2 || f.Summary.Skipped[0].Count != 2 {
		t.Errorf("%v", f.Summary)
	}
}

func TestPartsRefused(t *testing.T) {
	for names, want := range map[string][]string{
		"val/1.png test/2.png":    {"its folders test, val", "none of them is called train"},
		"train/1.png TRAIN/2.png": {"its folders TRAIN, train", "more than one of them"},
		"train/1.png test/2.png more/3.png": {
			"its folders train, test", "stand beside more", "give the path of the one",
		},
	} {
		paths := archives(t, pngFiles(t, strings.Fields(names)...))
		for _, path := range paths {
			_, err := Open(t.Context(), path, Options{})
			wantError(t, err, append(want, path)...)
		}
	}
}
