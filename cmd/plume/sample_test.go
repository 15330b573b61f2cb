package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseSeeds(t *testing.T) {
	for text, want := range map[string][]int64{
		"7": {7}, "0-3": {0, 1, 2, 3}, "3,7,10-12": {3, 7, 10, 11, 12}, "9-9, 2": {9, 2},
		"9223372036854775806-9223372036854775807": {1<<63 - 2, 1<<63 - 1},
	} {
		list, err := parseSeeds(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for i := range list.len() {
			got = append(got, list.at(i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v; expected %v", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"": `"" is no seed`, "1,": `"" is no seed`, "x": `"x" is no seed`, "-3": `"-3" is no seed`,
		"1-2-3": `"1-2-3" is no seed`, "3-1": "ends before it begins", "9,0-9": "9 is there twice",
		"5-7,1,6": "6 is there twice", "9223372036854775808": "is no seed",
		"0-9999999999": "more than 2147483647", "0-2147483645,2147483646-2147483647": "more than",
	} {
		if _, err := parseSeeds(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; expected %q", text, err, want)
		}
	}
}

// Each class has the images that follow from rounding down the ends of equal parts.
func TestParts(t *testing.T) {
	for classes := 1; classes < 8; classes++ {
		for n := 1; n < 50; n++ {
			p := samplePlan{n: n, classes: make([]int, classes)}
			for k := range classes {
				for i := k * n / classes; i < (k+1)*n/classes; i++ {
					if got := p.part(i); got != k {
						t.Fatalf("%d images of %d classes: image %d has class %d; expected %d",
							n, classes, i, got, k)
					}
				}
			}
		}
	}
}

// The names of files sort as their numbers do, and have no characters that some system refuses.
func TestSampleFileNames(t *testing.T) {
	seeds, err := parseSeeds("5-6,12345678")
	if err != nil {
		t.Fatal(err)
	}
	for want, p := range map[int]*samplePlan{
		6: {n: 1000000}, 7: {n: 1000001}, 8: {n: 3, seeds: seeds},
	} {
		if got := digits(p); got != want {
			t.Errorf("%d images: numbers of %d digits; expected %d", p.n, got, want)
		}
	}
	if got := fileName("animals & nature/a:b\n"); got != "animals & nature_a_b_" {
		t.Errorf("%q", got)
	}
}

// A signal while images are drawn leaves what was there before: nothing, or an old file.
func TestSamplesAreLeft(t *testing.T) {
	dir := t.TempDir()
	train := inDir(t, dir, "train", "--config", "tiny.toml", "--epochs", "1")
	if out, err := train.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, out := range []string{"a.npy", "a.npz", "a.csv", "a.parquet", "new/"} {
		if !strings.HasSuffix(out, "/") {
			if err := os.WriteFile(filepath.Join(dir, out), []byte("old"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		p := begin(t, inDir(t, dir, "sample", "-n", "1000000000", "--steps", "1", "-o", out),
			"the newest run")
		under(t, dir, out)
		p.signal(syscall.SIGTERM)
		p.ends(143)
		p.said("plume: interrupted")
		if left := hidden(dir, out); len(left) > 0 {
			t.Errorf("%s: %v is left", out, left)
		}
		text, err := os.ReadFile(filepath.Join(dir, out))
		if isFile := !strings.HasSuffix(out, "/"); isFile && string(text) != "old" ||
			!isFile && !os.IsNotExist(err) {
			t.Errorf("%s: %.10q, %v", out, text, err)
		}
	}
}

// hidden lists the temporary files and folders of an output.
func hidden(dir, out string) []string {
	within := filepath.Join(dir, filepath.Dir(out))
	left, err := filepath.Glob(filepath.Join(within, ".tmp-*"))
	if err != nil {
		panic(err)
	}
	return left
}

// under waits until an output is under way.
func under(t *testing.T, dir, out string) {
	t.Helper()
	for end := time.Now().Add(patience); len(hidden(dir, out)) == 0; {
		if time.Now().After(end) {
			t.Fatalf("%s: no temporary file after %v", out, patience)
		}
		time.Sleep(time.Millisecond)
	}
}
