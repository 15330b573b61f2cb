package run

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
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
