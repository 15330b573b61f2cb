package run

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

func TestCompare(t *testing.T) {
	root := t.TempDir()
	var dirs []string
	for i, name := range []string{"a", "b", "c"} {
		dir := filepath.Join(root, name)
		newRun(t, dir, i == 1, true)
		c := method.Default()
		c.Latent, c.Seed = 8<<i, 5
		if err := on(dir).StoreConfig(c); err != nil {
			t.Fatal(err)
		}
		if err := on(dir).Amend(func(info *Info) { info.CPU = name[:i/2] }); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	write(t, filepath.Join(dirs[1], metricsFile), `{"epoch":3,"step":7,"pca64_fd":1.23456}`+"\n")
	c, err := Compare(dirs)
	if err != nil {
		t.Fatal(err)
	}
	want := []Difference{{"latent", []string{"8", "16", "32"}}}
	if diff := cmp.Diff(want, c.Configuration); diff != "" {
		t.Error(diff)
	}
	want = []Difference{{"cpu", []string{"", "", "c"}}}
	if diff := cmp.Diff(want, c.Circumstances); diff != "" {
		t.Error(diff)
	}
	results := map[string][]string{}
	for _, d := range c.Results {
		results[d.Name] = d.Values
	}
	delete(results, "started")
	wanted := map[string][]string{
		"status":      {"stopped", "finished", "stopped"},
		"epochs done": {"0", "3", "0"}, "steps": {"0", "7", "0"},
		"PCA-64 FD": {"", "1.235", ""},
	}
	if diff := cmp.Diff(wanted, results); diff != "" {
		t.Error(diff)
	}
	if _, err := Compare([]string{dirs[0], root}); err == nil {
		t.Error("compared a directory that is no run")
	}
}

// The times of runs are in UTC, so that a comparison is the same wherever it is made. What the
// steps cost is there in short.
func TestResultsOfARun(t *testing.T) {
	zone := time.FixedZone("elsewhere", 5*60*60)
	o := Overview{
		Started: time.Date(2026, 5, 4, 3, 2, 1, 0, zone),
		cost: record.Cost{
			Phases: map[string]float64{
				"reduce": 50, "idle": 25, "move": 20, "noise": 4, "pack": 1,
			},
			Rate: 25e9, Peak: 100e9,
		},
		priorLevels: &record.Levels{Min: -8, Max: 4, Loss: []record.Number{0.0511, 2}},
	}
	want := map[string]string{
		"started": "2026-05-03 22:02 UTC", "share of the peak": "25 % of 100 GFLOP/s",
		"longest phases":       "reduce 50 %, idle 25 %, move 20 %, noise 4 %",
		"prior loss by lambda": "0.0511 2 (lambda -8 to 4)",
	}
	for _, d := range o.Results() {
		if text, found := want[d.Name]; found && d.Values[0] != text {
			t.Errorf("%s: %q, expected %q", d.Name, d.Values[0], text)
		}
		delete(want, d.Name)
	}
	if len(want) > 0 {
		t.Errorf("nothing about %v", want)
	}
	for _, d := range (Overview{}).Results()[len(o.Results())-4:] {
		if d.Values[0] != "" {
			t.Errorf("%s of a run without records: %q", d.Name, d.Values[0])
		}
	}
}

// A number of epochs that the data decided is no change; another one is, from that.
func TestEpochsFromTheData(t *testing.T) {
	dir := t.TempDir()
	newRun(t, dir, false, true)
	info, err := ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	info.Read = &data.Summary{Images: 1000}
	if err := on(dir).StoreInfo(info); err != nil {
		t.Fatal(err)
	}
	c := method.Default()
	c.As = data.Columns // the default of a table leaves the epochs open
	c, err = method.Resolve(c, info.Shape, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	c.Epochs, c.Holdout, c.Batch, c.BatchRepeats, c.Flip = 0, 0.1, 100, 1, true
	c = c.Lasting(2 * 900) // mirror images too
	for epochs, want := range map[int][]string{c.Epochs: nil, 3: {"3", fmt.Sprint(c.Epochs)}} {
		c.Epochs = epochs
		if err := on(dir).StoreConfig(c); err != nil {
			t.Fatal(err)
		}
		changed, err := FromDefaults(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range changed {
			if d.Name == "epochs" {
				got = d.Values
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d epochs: %s", epochs, diff)
		}
	}
}

func TestFromDefaults(t *testing.T) {
	dir := t.TempDir()
	newRun(t, dir, false, true)
	info, err := ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := method.DefaultOn(config.IPLD, info.Shape)
	if err != nil {
		t.Fatal(err)
	}
	if err := on(dir).StoreConfig(c); err != nil {
		t.Fatal(err)
	}
	if changed, err := FromDefaults(dir); err != nil || len(changed) > 0 {
		t.Errorf("the defaults: %v, %v", changed, err)
	}
	c.Latent, c.Friction = c.Latent+1, 0.5
	if err := on(dir).StoreConfig(c); err != nil {
		t.Fatal(err)
	}
	want := []string{"latent", "friction"}
	changed, err := FromDefaults(dir)
	var names []string
	for _, d := range changed {
		names = append(names, d.Name)
		if len(d.Values) != 2 || d.Values[0] == d.Values[1] {
			t.Errorf("%+v", d)
		}
	}
	if diff := cmp.Diff(want, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
