package checkpoint

import (
	"path/filepath"
	"slices"
	"testing"
)

// What lies before a checkpoint is found, what lies beyond a step can be dropped, and what a run's
// divergences did is kept.
func TestBeforeAndDrop(t *testing.T) {
	run := t.TempDir()
	slowed := Slowed{Retries: 2, Factor: 0.25, From: 7, Times: 1}
	for _, step := range []int{3, 7, 1_000_000} {
		mustSave(t, run, Meta{Step: step, Slowed: slowed}, state(), 0)
	}
	newest, err := Latest(run)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"step-000007", "step-000003", ""} {
		older, err := Before(run, newest)
		if err != nil || older != "" && filepath.Base(older) != want || older == "" && want != "" {
			t.Fatalf("before %s: %q, %v; expected %q", newest, older, err, want)
		}
		if older != "" {
			newest = older
		}
	}
	meta := mustLoadMeta(t, newest)
	if step, err := Step(newest); step != 3 || err != nil || meta.Slowed != slowed {
		t.Errorf("step %d, %+v, %v", step, meta.Slowed, err)
	}
	mustSave(t, run, Meta{Step: 3}, state(), 0)
	if err := Drop(run, 3); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, run), []string{"latest", "step-000003"}; !slices.Equal(got, want) {
		t.Errorf("%q are left, expected %q", got, want)
	}
	if meta := mustLoadMeta(t, newest); meta.Slowed != (Slowed{}) {
		t.Errorf("%+v: expected nothing", meta.Slowed)
	}
	if _, err := Before(run, filepath.Join(run, "nowhere")); err == nil {
		t.Error("no error for a checkpoint that is not there")
	}
}

func mustLoadMeta(t *testing.T, dir string) Meta {
	t.Helper()
	meta, err := LoadSome(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return meta
}
