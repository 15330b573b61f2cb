package page

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/record"
)

// twoRuns have some phases and levels each, the first also a share of the peak.
func twoRuns() *Page {
	nan := record.Number(math.NaN())
	return &Page{Runs: []*Run{
		{
			Number: 0, Name: "a",
			Cost: record.Cost{
				Phases: map[string]float64{"move": 30, "score-forward": 60, "idle": 10},
				Rate:   20e9, Peak: 80e9,
			},
			Levels: &record.Levels{
				Min: -10, Max: 10, Loss: []record.Number{0, nan, 4, 8},
				Unlearned: []record.Number{0, 2, 8, 8},
			},
		},
		{
			Number: 1, Name: "b",
			Cost: record.Cost{Phases: map[string]float64{"move": 120}},
			Levels: &record.Levels{
				Min: 0, Max: 10, Loss: []record.Number{2}, Unlearned: []record.Number{4},
			},
		},
	}}
}

// Phases are in the order of a step, each with the runs that have it.
func TestPhases(t *testing.T) {
	got := twoRuns().Phases()
	want := []Overlaid{
		{"score forward", []Bar{{0, Share{"", "1 min 0 s, 60 %", 0.6}}}},
		{"move", []Bar{{0, Share{"", "30 s, 30 %", 0.3}}, {1, Share{"", "2 min 0 s, 100 %", 1}}}},
		{"idle", []Bar{{0, Share{"", "10 s, 10 %", 0.1}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Bar{{0, Share{"a", "25 %: 20 GFLOP/s of 80 GFLOP/s", 0.25}}},
		twoRuns().Peaks()); diff != "" {
		t.Error(diff)
	}
}

// All runs share the axes: from the least lambda to the largest, and to the largest loss. A part
// without a draw is left out.
func TestProfile(t *testing.T) {
	d := twoRuns().Profile()
	if len(d.Lines) != 2 {
		t.Fatalf("%+v", d)
	}
	at := func(share float64) float64 { return profileLeft + share*(profileRight-profileLeft) }
	if x := d.X[4]; x.At != profileRight || x.Text != "10" || d.X[0].Text != "-10" ||
		d.Y[4].Text != "8" || d.Y[4].At != profileTop {
		t.Errorf("ticks %+v, %+v", d.X, d.Y)
	}
	// The middles of the parts are at 1/8, 5/8 and 7/8 of the axis.
	var want strings.Builder
	for i, p := range [][2]float64{{at(0.125), 190}, {at(0.625), 100}, {at(0.875), 10}} {
		want.WriteString(string("MLL"[i]) + trimmed(p[0]) + " " + trimmed(p[1]))
	}
	if d.Lines[0].Path != want.String() {
		t.Errorf("path %s, expected %s", d.Lines[0].Path, &want)
	}
	if want := "M" + trimmed(at(0.75)) + " " + trimmed(100); d.Lines[1].Unlearned != want {
		t.Errorf("path %s, expected %s", d.Lines[1].Unlearned, want)
	}
	if none := (&Page{Runs: []*Run{{}}}).Profile(); none != nil {
		t.Errorf("of no levels: %+v", none)
	}
}

func trimmed(v float64) string { return fmt.Sprintf("%.1f", v) }

// A prior that learns at all levels but the least noise is fine; one that has learnt as much there
// as elsewhere has met no smallest structure yet.
func TestLevelsJudged(t *testing.T) {
	levels := func(loss ...record.Number) *record.Levels {
		return &record.Levels{Min: -10, Max: 10, Loss: loss,
			Unlearned: []record.Number{0.1, 2, 8, 10}}
	}
	for words, l := range map[string]*record.Levels{
		"At no level":             levels(0.1, 1, 6, 9.9),
		"From lambda -5 to 0":     levels(0.1, 3, 6, 9.9),
		"a larger lambda_max":     levels(0.1, 1, 6, 4),
		"From lambda -10 to 10 t": levels(1, 1, 6, 11),
	} {
		f := ofLevels(l)[0]
		if !strings.Contains(f.Do, words) || (f.Verdict == Good) != (words == "At no level") {
			t.Errorf("%v: %+v, expected %q", l.Loss, f, words)
		}
	}
}
