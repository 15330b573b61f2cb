package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
)

// household writes a table of 300 rows, in which the size tells the rooms, the colour and the
// garden of a house but for noise, and a tenth of the cells is missing.
func household(t *testing.T) (path string) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("name,size,rooms,colour,garden,country\n")
	for i := range 300 {
		z := r.NormFloat64()
		cells := []string{
			fmt.Sprintf("%.1f", 100+20*z), fmt.Sprint(int(math.Round(math.Abs(4 + 2*z)))),
			[]string{"blue", "green", "red"}[int(min(2, max(0, 1.5+z)))],
			[]string{"no", "yes"}[int(min(1, max(0, 1+z)))],
		}
		for k := range cells {
			if r.Float64() < 0.1 {
				cells[k] = ""
			}
		}
		fmt.Fprintf(&b, "h%d,%s,DE\n", i, strings.Join(cells, ","))
	}
	path = filepath.Join(t.TempDir(), "houses.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// A run on a table is evaluated by its columns, and imputes better than means do.
func TestTable(t *testing.T) {
	dir := tiny(t, func(c *config.Config) {
		c.Data, c.Latent, c.Holdout, c.Epochs, c.EvalSamples = household(t), 2, 0.3, 40, 0
	})
	o := few
	o.Pictures = filepath.Join(t.TempDir(), "pictures")
	r := mustRun(t, dir, o)
	var keys []string
	for _, m := range r.Metrics {
		keys = append(keys, m.Key)
		outside := m.Low > m.Value+1e-9 || m.High < m.Value-1e-9
		if outside || strings.Contains(m.Note+m.Name+m.Unit, "image") {
			t.Errorf("%+v", m)
		}
	}
	const want = "table_numbers table_categories table_associations impute_rmse " +
		"impute_rmse_simple impute_accuracy impute_accuracy_simple impute_coverage_50 " +
		"impute_coverage_95 nearest_rms nearer_1 recon_mse recon_mse_mean energy prior_energy " +
		"log_p ess ess_below_10"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("%s, expected %s", got, want)
	}
	for _, pair := range [][2]string{
		{"impute_rmse", "impute_rmse_simple"}, {"impute_accuracy_simple", "impute_accuracy"},
	} {
		if low, high := value(t, r, pair[0]), value(t, r, pair[1]); low.Value >= high.Value {
			t.Errorf("%s %v, %s %v", low.Key, low.Value, high.Key, high.Value)
		}
	}
	// Of about 60 hidden numbers of 60 rows: 0.95 within 4 standard deviations, 0.11.
	if m := value(t, r, "impute_coverage_95"); m.Value < 0.84 {
		t.Errorf("95 %% intervals hold %v", m.Value)
	}
	names := ""
	for _, c := range r.Columns {
		names += c.Column + " "
		if c.Hidden < 5 || !(c.Missing > 0.03 && c.Missing < 0.2) || !c.Distance.Finite() ||
			!c.Floor.Finite() || !(c.Error < c.Simple) {
			t.Errorf("%+v", c)
		}
	}
	if names != "size rooms colour garden " {
		t.Errorf("columns %s", names)
	}
	if len(r.Notes) == 0 || !strings.Contains(r.Notes[0], "left out, since the data are a table: "+
		"pca, ffd, sliced, class, precision") {
		t.Errorf("notes %q", r.Notes)
	}
	for _, name := range []string{columnsFile, samplesFile, matrixFile} {
		if _, err := os.Stat(filepath.Join(o.Pictures, name)); err != nil {
			t.Error(err)
		}
	}
	again := o
	again.Threads = 1
	if other := mustRun(t, dir, again); text(t, other) != text(t, r) {
		t.Errorf("1 thread:\n%s\n2 threads:\n%s", text(t, other), text(t, r))
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil || !strings.Contains(b.String(), "imputation error") {
		t.Errorf("%s, %v", b.String(), err)
	}
}

// Only known cells are hidden, each whole, and about as many as asked for.
func TestHide(t *testing.T) {
	dir := tiny(t, func(c *config.Config) {
		c.Data, c.Latent, c.Holdout, c.Epochs, c.EvalSamples = household(t), 2, 0.3, 1, 0
	})
	s, err := open(t.Context(), dir, Options{Threads: 1}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	e := &evaluation{Options: Options{Hide: 0.4, Seed: 5}, subject: s}
	hidden, known := e.hide(s.own.Train), data.MissingOf(s.own.Train)
	cells, count := 0, 0
	for i := range s.own.Train.Len() {
		h, m := hidden.Row(i), known.Row(i)
		if h[2] != h[3] || h[3] != h[4] {
			t.Fatalf("row %d: a part of a category is hidden: %v", i, h)
		}
		for _, at := range []int{0, 1, 2, 5} {
			if h[at] && m[at] {
				t.Fatalf("row %d: a missing cell is hidden", i)
			}
			if !m[at] {
				cells++
			}
			if h[at] {
				count++
			}
		}
	}
	share := float64(count) / float64(cells)
	if margin := 4 * math.Sqrt(0.24/float64(cells)); math.Abs(share-0.4) > margin {
		t.Errorf("%v of the known cells are hidden", share)
	}
}
