package trainer

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/npy"
)

// A forecast of one of several ranks has nothing of the rows, which stay in their file; that of a
// process alone has them, unless they are too large.
func TestForecastOfRowsInAFile(t *testing.T) {
	c := teamRun()
	c.Data, c.Holdout = filepath.Join(t.TempDir(), "x.npy"), 0.1
	const m = 9000
	writeArray(t, c.Data, "<f4", m)
	part := func(opts ...Option) (name string, bytes int64) {
		f, err := DryRun(t.Context(), c, t.TempDir(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		p := f.Memory.Parts[1]
		return p.Name, p.Bytes
	}
	orders := data.OrderBytes(m, 0.1, false)
	if name, bytes := part(); name != "data" || bytes < orders+m*16*4 {
		t.Errorf("%s %d in memory", name, bytes)
	}
	for _, o := range []Option{OneOf(4), keepAtMost(m)} {
		name, bytes := part(o)
		if name != dataStay || bytes < orders || bytes > orders+1000 {
			t.Errorf("%s %d; expected %s of little more than %d", name, bytes, dataStay, orders)
		}
	}
}

// Ranks that keep large data as a whole are told how they need not.
func TestRanksAreToldOfLargeData(t *testing.T) {
	for _, c := range []struct {
		ranks int
		bytes int64
		says  bool
	}{{1, 2 << 30, false}, {2, 2 << 30, true}, {2, 1 << 20, false}} {
		var warned []string
		tr := &Trainer{ranks: comm.Forecast{Ranks: c.ranks}}
		warningsTo(&warned)(tr)
		tr.sayWhere(&data.Found{Bytes: c.bytes})
		text := strings.Join(warned, "\n")
		if c.says != (len(warned) == 1 && strings.Contains(text, "keeps all 2.0 GiB") &&
			strings.Contains(text, "numpy.save")) || !c.says && text != "" {
			t.Errorf("%+v: %q", c, text)
		}
	}
}

// Numbers that are not finite are refused with their place, on whichever rank they are.
func TestSurveyRefusesNaN(t *testing.T) {
	c := teamRun()
	c.Data, c.Holdout, c.Batch = filepath.Join(t.TempDir(), "x.npy"), 0, 4096
	const m = 3 * data.BlockRows
	x := make([]float32, m*16)
	x[(m-1)*16+5] = float32(math.NaN())
	if err := npy.WriteFile(c.Data, x, m, 4, 4); err != nil {
		t.Fatal(err)
	}
	_, want := New(t.Context(), c, t.TempDir())
	if want == nil || !strings.Contains(want.Error(), "row 12287, column 5") {
		t.Fatal(want)
	}
	for _, err := range withTeam(t, 4, func(team *Team) {
		_, err := New(t.Context(), c, t.TempDir(), WithTeam(team))
		if err == nil || err.Error() != want.Error() {
			t.Errorf("error %v\nalone %v", err, want)
		}
	}) {
		if err != nil {
			t.Error(err)
		}
	}
}

// The file is closed with the trainer, of a run that begins and of one that cannot.
func TestRowsAreClosed(t *testing.T) {
	open := func() (n int) {
		links, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("open files cannot be counted where the system does not list them: ", err)
		}
		for _, l := range links {
			if to, _ := os.Readlink("/proc/self/fd/" + l.Name()); filepath.Ext(to) == ".npy" {
				n++
			}
		}
		return n
	}
	c := teamRun()
	c.Data, c.Holdout = filepath.Join(t.TempDir(), "x.npy"), 0.1
	writeArray(t, c.Data, "|u1", 150)
	tr, err := New(t.Context(), c, t.TempDir(), keepAtMost(1))
	if err != nil {
		t.Fatal(err)
	}
	if n := open(); n != 1 {
		t.Errorf("%d files are open in a training", n)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	c.Holdout = 0.999
	if _, err := New(t.Context(), c, t.TempDir(), keepAtMost(1)); err == nil {
		t.Error("trained on nothing")
	}
	for _, err := range withTeam(t, 2, func(team *Team) {
		if _, err := New(t.Context(), c, t.TempDir(), WithTeam(team)); err == nil {
			t.Error("ranks trained on nothing")
		}
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if n := open(); n != 0 {
		t.Errorf("%d files are open afterwards", n)
	}
}
