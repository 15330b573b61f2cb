package trainer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// keepAtMost leaves rows of more bytes in their file.
func keepAtMost(bytes int64) Option { return func(t *Trainer) { t.data.most = bytes } }

// writeArray writes m pictures of 4 x 4 numbers of a type in a .npy file.
func writeArray(t *testing.T, path, dtype string, m int) {
	t.Helper()
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, 4, 4), }\n", dtype,
		m)
	raw := append([]byte("\x93NUMPY\x01\x00"), byte(len(dict)), 0)
	raw = append(raw, dict...)
	r := rand.New(rand.NewPCG(5, 5))
	for range m * 16 {
		switch v := r.IntN(256); dtype {
		case "|u1":
			raw = append(raw, byte(v))
		case "<u2":
			raw = binary.LittleEndian.AppendUint16(raw, uint16(200*v))
		case "<f4":
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)/128-1))
		}
	}
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
}

// stayingRuns are short runs on files in which rows can stay.
func stayingRuns(t *testing.T) map[string]config.Config {
	t.Helper()
	dir := t.TempDir()
	all := map[string]config.Config{}
	for name, dtype := range map[string]string{
		"bytes": "|u1", "floats": "<f4", "integers": "<u2", "flipped": "|u1", "started": "<f4",
	} {
		c := teamRun()
		c.Data, c.Holdout, c.Epochs = filepath.Join(dir, name+".npy"), 0.1, 2
		c.Flip = name == "flipped"
		if name == "started" {
			c.CloudInit = config.FromComponents
		}
		writeArray(t, c.Data, dtype, 150)
		all[name] = c
	}
	c := teamRun()
	c.Data, c.Epochs, c.Holdout = filepath.Join(dir, "labelled"), 2, 0.1
	c.Condition, c.Flip = "prior", true
	if err := os.Mkdir(c.Data, 0o777); err != nil {
		t.Fatal(err)
	}
	writeIDX(t, filepath.Join(c.Data, "images"), 120, 7)
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 120}
	for i := range 120 {
		labels = append(labels, byte(i%3))
	}
	if err := os.WriteFile(filepath.Join(c.Data, "labels"), labels, 0o666); err != nil {
		t.Fatal(err)
	}
	all["labelled"] = c
	return all
}

// A training whose rows stay in their file is that in memory, to the bit, on one rank and several.
func TestRowsStayInTheirFile(t *testing.T) {
	for name, c := range stayingRuns(t) {
		t.Run(name, func(t *testing.T) {
			want := train(t, c)
			dir := t.TempDir()
			session(t, func(o ...Option) (*Trainer, error) {
				return New(context.Background(), c, dir, append(o, keepAtMost(1))...)
			}, 5)
			session(t, func(o ...Option) (*Trainer, error) {
				tr, err := Resume(context.Background(), dir, c, append(o, keepAtMost(1))...)
				if err == nil && !tr.data.stay {
					t.Error("the rows are in memory")
				}
				return tr, err
			}, -1)
			sameTraining(t, "from the file", dir, want)
			for _, n := range []int{2, 4} {
				dir := t.TempDir()
				teamSession(t, dir, c, n, 7, false)
				teamSession(t, dir, c, 6-n, -1, true)
				sameTraining(t, fmt.Sprintf("%d ranks", n), dir, want)
			}
		})
	}
}

// Blocks are surveyed by the ranks that train on them, each by one at least.
func TestOwnBlocks(t *testing.T) {
	const m = 11*data.BlockRows + 5
	path := filepath.Join(t.TempDir(), "x.npy")
	writeArray(t, path, "|u1", m)
	all, err := data.Open(t.Context(), path, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, flip := range []bool{false, true} {
		for _, n := range []int{1, 2, 3, 4} {
			c := config.Config{}
			c.Flip = flip
			train, _, err := data.Split(all, 0.999, 3)
			if err != nil {
				t.Fatal(err)
			}
			points, err := c.Datapoints(train)
			if err != nil {
				t.Fatal(err)
			}
			seen := make([]int, 12)
			for rank, r := range comm.Local(n) {
				own := ownBlocks(points, 12, 12, r)
				for _, b := range own {
					seen[b]++
				}
				first, last := points.Len()*rank/n, points.Len()*(rank+1)/n
				for i := first; i < last; i++ {
					if b := points.Origin(i).Row / data.BlockRows; !slices.Contains(own, b) {
						t.Fatalf("%d ranks: rank %d does not survey its row %d", n, rank, i)
					}
				}
			}
			most := 2 // at the border of two ranks
			if flip {
				most = 4 // and as often in mirror images
			}
			if slices.Contains(seen, 0) || slices.Max(seen) > most {
				t.Errorf("%d ranks, flip %v: blocks are surveyed %v times", n, flip, seen)
			}
		}
	}
}

// elsewhere is a rank that finds the data in another place.
type elsewhere struct {
	comm.Comm
	from, to string
}

// Broadcast implements comm.Comm.
func (e elsewhere) Broadcast(x []byte, root int) ([]byte, error) {
	got, err := e.Comm.Broadcast(x, root)
	return bytes.ReplaceAll(got, []byte(e.from), []byte(e.to)), err
}

// teamWithCopy makes a run on two ranks, the second of which has a copy of the data.
func teamWithCopy(t *testing.T, c config.Config, copied string, lead func(o Option) error) error {
	t.Helper()
	ranks := comm.Local(2)
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := Follow(t.Context(), elsewhere{ranks[1], c.Data, copied}, beat); err != nil {
			t.Error(err)
		}
	})
	team := Lead(ranks[0], beat)
	err := lead(WithTeam(team))
	if err := team.Dismiss(0); err != nil {
		t.Error(err)
	}
	wait.Wait()
	return err
}

// Ranks may have copies of the data, and are refused where these differ.
func TestCopiesOfTheData(t *testing.T) {
	c := teamRun()
	c.Data, c.Holdout, c.Epochs = filepath.Join(t.TempDir(), "original.npy"), 0, 1
	writeArray(t, c.Data, "|u1", 2*data.BlockRows)
	c.Batch = 1024
	raw, err := os.ReadFile(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int) []byte {
		b := slices.Clone(raw)
		b[at]++
		return b
	}
	for name, f := range map[string]struct {
		copied []byte
		want   string
	}{
		"same":       {raw, ""},
		"sampled":    {changed(len(raw) - 32), "rank 1 has other rows in "},
		"first row":  {changed(len(raw) - 16*2*data.BlockRows), "rank 1 has other rows in "},
		"truncated":  {raw[:len(raw)-1], "rank 1: "},
		"compressed": {[]byte("\x1f\x8b"), "rank 1: "},
		"another":    {append(slices.Clone(raw), 0), "rank 1: "},
	} {
		copied := filepath.Join(t.TempDir(), "original.npy")
		if err := os.WriteFile(copied, f.copied, 0o666); err != nil {
			t.Fatal(err)
		}
		err := teamWithCopy(t, c, copied, func(o Option) error {
			tr, err := New(t.Context(), c, t.TempDir(), o)
			if err == nil {
				err = tr.Close()
			}
			return err
		})
		if f.want == "" && err != nil || f.want != "" && (err == nil ||
			!strings.Contains(err.Error(), f.want)) {
			t.Errorf("%s: error %v; expected %q", name, err, f.want)
		}
	}
}

// Labels of a copy must be the same, since they are conditions.
func TestLabelsOfACopy(t *testing.T) {
	c := stayingRuns(t)["labelled"]
	copied := filepath.Join(t.TempDir(), "labelled")
	if err := os.CopyFS(copied, os.DirFS(c.Data)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(copied, "labels"))
	if err == nil {
		raw[len(raw)-1]++
		err = os.WriteFile(filepath.Join(copied, "labels"), raw, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = teamWithCopy(t, c, copied, func(o Option) error {
		_, err := New(t.Context(), c, t.TempDir(), o)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "rank 1: ") ||
		!strings.Contains(err.Error(), ", labels ") {
		t.Errorf("error %v", err)
	}
}

// One rank's copy changes in a training, and all end with its name: the first one's own has none.
func TestACopyChanges(t *testing.T) {
	c := stayingRuns(t)["bytes"]
	raw, err := os.ReadFile(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, rank := range []int{0, 1} {
		copied := filepath.Join(t.TempDir(), filepath.Base(c.Data))
		if err := errors.Join(os.WriteFile(copied, raw, 0o666),
			os.WriteFile(c.Data, raw, 0o666)); err != nil {
			t.Fatal(err)
		}
		err := teamWithCopy(t, c, copied, func(o Option) error {
			tr, err := New(t.Context(), c, t.TempDir(), o, WithHook(Hook{
				OnStep: func(p record.Progress) {
					if p.Step == 5 {
						if err := os.Truncate([]string{c.Data, copied}[rank], 200); err != nil {
							t.Error(err)
						}
					}
				},
			}))
			if err != nil {
				return err
			}
			return errors.Join(tr.Run(t.Context()), tr.Close())
		})
		if err == nil || !strings.Contains(err.Error(), "changed while it was read") ||
			strings.Contains(err.Error(), "rank 1: ") != (rank == 1) {
			t.Errorf("the copy of rank %d changed: %v", rank, err)
		}
	}
}

// What was resumed on other data than it was trained on is refused, wherever these differ: here in
// a row that the second rank alone trains on.
func TestResumeOnAChangedCopy(t *testing.T) {
	c := teamRun()
	c.Data, c.Holdout, c.Epochs, c.Batch = filepath.Join(t.TempDir(), "original.npy"), 0, 1, 4096
	writeArray(t, c.Data, "|u1", 3*data.BlockRows)
	raw, err := os.ReadFile(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	teamSession(t, dir, c, 2, 1, false)
	raw[len(raw)-16*2]++ // not among the sampled rows, which are every third
	copied := filepath.Join(t.TempDir(), "original.npy")
	if err := os.WriteFile(copied, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	err = teamWithCopy(t, c, copied, func(o Option) error {
		tr, err := Resume(t.Context(), dir, c, o)
		if err == nil {
			err = tr.Close()
		}
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "with other pixels or in another order") {
		t.Errorf("resumed on other data: %v", err)
	}
}

// A file that is cut short or written to in a training ends it with an error that says so, on one
// rank and two, and the run goes on from its last checkpoint.
func TestRowsChangeInATraining(t *testing.T) {
	c := teamRun()
	c.Data, c.Holdout, c.Epochs = filepath.Join(t.TempDir(), "x.npy"), 0.1, 3
	c.CheckpointEvery = config.EveryEpochs(1)
	writeArray(t, c.Data, "<f4", 150)
	raw, err := os.ReadFile(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := os.WriteFile(c.Data, raw, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want := train(t, c)
	truncate := func() error { return os.Truncate(c.Data, 300) }
	touch := func() error {
		return os.Chtimes(c.Data, time.Time{}, time.Now().Add(time.Minute))
	}
	for name, change := range map[string]func() error{"truncated": truncate, "written": touch} {
		for at, saved := range map[int]string{14: "step-000012", 24: "step-000024"} {
			for _, n := range []int{1, 2} { // in a step, and before an evaluation
				restore()
				dir := t.TempDir()
				what := fmt.Sprintf("%s after step %d, %d ranks", name, at, n)
				changing(t, c, dir, n, func(p record.Progress) error {
					if p.Step != at {
						return nil
					}
					return change()
				})
				latest, err := checkpoint.LatestWhole(dir)
				if err != nil || filepath.Base(latest) != saved {
					t.Errorf("%s: checkpoint %s, %v", what, latest, err)
				}
				restore()
				resumeRun(t, dir, c, -1)
				sameTraining(t, what, dir, want)
			}
		}
	}
}

// changing begins a run on n ranks, which must end since the data change after a step.
func changing(
	t *testing.T, c config.Config, dir string, n int, change func(record.Progress) error,
) {
	t.Helper()
	begin := func(o ...Option) {
		tr, err := New(t.Context(), c, dir, append(o, keepAtMost(1), WithHook(Hook{
			OnStep: func(p record.Progress) {
				if err := change(p); err != nil {
					t.Error(err)
				}
			},
		}))...)
		if err != nil {
			t.Fatal(err)
		}
		err = tr.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "changed while it was read") ||
			errors.Is(err, ErrDiverged) {
			t.Errorf("%d ranks: Run returned %v", n, err)
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
	if n == 1 {
		begin()
	} else if err := errors.Join(withTeam(t, n, func(team *Team) {
		begin(WithTeam(team))
	})...); err != nil {
		t.Error(err)
	}
}

// A run that an earlier version has begun goes on with its fingerprint, wherever its rows are.
func TestEarlierFingerprints(t *testing.T) {
	c := stayingRuns(t)["floats"]
	want, dir := train(t, c), t.TempDir()
	tr, err := New(t.Context(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	const like = "0123456789abcdef"
	old, err := data.FingerprintLike(t.Context(), tr.data.all, like)
	if err != nil || len(old) != len(like) {
		t.Fatal(old, err)
	}
	tr.data.fingerprint = old
	if err := tr.writer.Amend(func(info *run.Info) { info.Fingerprint = old }); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tr.Run(ended); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	resumeRun(t, dir, c, 3)
	session(t, func(o ...Option) (*Trainer, error) {
		return Resume(context.Background(), dir, c, append(o, keepAtMost(1))...)
	}, 6)
	teamSession(t, dir, c, 2, -1, true)
	sameTraining(t, "with an earlier fingerprint", dir, want)
	if info, err := run.ReadInfo(dir); err != nil || info.Fingerprint != old {
		t.Errorf("fingerprint %s, %v; expected %s", info.Fingerprint, err, old)
	}
}
