package page

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/record"
)

// made are records of n epochs, every third with a distance of samples.
func made(n int) (all []record.Epoch) {
	for i := range n {
		e := record.Epoch{Epoch: i + 1, Step: 4 * (i + 1), Seconds: record.Number(i)}
		e.ReconMSE = record.Number(1 / float64(i+1))
		if i%3 == 2 {
			fd := record.Number(i)
			e.PCA64FD = &fd
		}
		all = append(all, e)
	}
	return all
}

// ofRecords is a page of a run with these records.
func ofRecords(t *testing.T, records []record.Epoch) *Snapshot {
	t.Helper()
	r := &Run{Name: "a", State: "running", records: records, Curves: curves(records)}
	p, err := Join([]*Run{r})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fills makes the numbers of a curve as many as n.
func filled(y numbers, n int) numbers {
	for len(y) < n {
		y = append(y, math.NaN())
	}
	return y
}

func same(a, b numbers) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || x != x && y != y })
}

// A reader who takes all updates, whatever they are of, has what a reader of the whole page has.
func TestSince(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	records := made(500)
	for range 20 {
		state, n := "", 0
		epochs, distances := numbers(nil), numbers(nil)
		for n < len(records) {
			n = min(len(records), n+rng.IntN(120))
			s := ofRecords(t, records[:n])
			u, ok := s.Since(state)
			if ok == (u.State == state) {
				t.Fatalf("from %q to %q: %v", state, u.State, ok)
			}
			state = u.State
			for _, piece := range u.Curves {
				if piece.From == 0 {
					epochs, distances = nil, nil
				}
				if piece.From != len(epochs) {
					t.Fatalf("a piece after %d, of %d", piece.From, len(epochs))
				}
				epochs = append(epochs, piece.X["epoch"]...)
				distances = filled(append(distances, piece.Y["pca64_fd"]...), len(epochs))
			}
		}
		whole := curves(records)
		if !same(epochs, whole.X["epoch"]) || !same(distances, whole.Y["pca64_fd"]) {
			t.Fatal("the pieces are not the whole")
		}
	}
}

// What has not changed does not come again, and a run that has gone another way comes whole.
func TestSinceParts(t *testing.T) {
	records := made(10)
	before := ofRecords(t, records[:8])
	if u, ok := before.Since(before.State()); ok {
		t.Errorf("nothing is new: %+v", u)
	}
	u, _ := ofRecords(t, records).Since(before.State())
	if len(u.Curves) != 1 || u.Curves[0].From != 8 || u.Charts != nil || u.Models != nil ||
		len(u.Parts) != 0 {
		t.Errorf("two records: %+v", u)
	}
	other := slices.Clone(records)
	other[7].Seconds++
	u, _ = ofRecords(t, other).Since(before.State())
	if len(u.Curves) != 1 || u.Curves[0].From != 0 || len(u.Curves[0].X["epoch"]) != 10 {
		t.Errorf("another way: %+v", u)
	}
	p, err := Join([]*Run{{Name: "a", State: "finished", records: records[:8],
		Curves: curves(records[:8])}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	u, _ = s.Since(before.State())
	if len(u.Parts) != 1 || !strings.Contains(string(u.Parts[0]), `<span class="state">finished`) ||
		u.Curves != nil {
		t.Errorf("another state: %+v", u)
	}
	if u, _ := s.Since(""); len(u.Parts) != len(parts) || u.Models == nil || u.Charts == nil {
		t.Errorf("from nothing: %+v", u)
	}
}

// A run that keeps what models told has it in its place.
func TestKeep(t *testing.T) {
	drawn := &Frame{Step: 20}
	older := &Run{
		Nearest: &Nearest{Step: 20}, Latents: &Latents{Step: 20}, drawn: drawn, models: "x",
	}
	older.Curves.Levels = []Level{{Name: "measured"}}
	for _, c := range []struct{ steps, want []int }{
		{[]int{10, 30}, []int{10, 20, 30}}, {[]int{10, 20, 30}, []int{10, 20, 30}},
		{nil, []int{20}}, {[]int{10}, []int{10, 20}},
	} {
		r := &Run{}
		if c.steps != nil {
			r.Samples = []Strip{{Title: samplesTitle}}
		}
		for _, step := range c.steps {
			r.Samples[0].Frames = append(r.Samples[0].Frames, Frame{Step: step})
		}
		r.Keep(older)
		var got []int
		for _, f := range r.Samples[0].Frames {
			got = append(got, f.Step)
		}
		if !slices.Equal(got, c.want) || r.Nearest == nil || r.Latents == nil ||
			len(r.Curves.Levels) != 1 {
			t.Errorf("%v: %v, expected %v", c.steps, got, c.want)
		}
	}
}
