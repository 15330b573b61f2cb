package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/run"
)

// parse returns the elements of a page.
func parse(t *testing.T, text string) (elements []*html.Node) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			elements = append(elements, n)
		}
	}
	return elements
}

func attribute(n *html.Node, name string) (value string) {
	for _, a := range n.Attr {
		if a.Key == name {
			value = a.Val
		}
	}
	return value
}

func content(n *html.Node) (text string) {
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			text += c.Data
		}
	}
	return text
}

// check holds what every page must be: complete in itself, under a policy that allows what it has,
// and with names for what is shown.
func check(t *testing.T, text string) {
	t.Helper()
	ids, targets, policy := map[string]bool{}, []string{}, ""
	for _, n := range parse(t, text) {
		if id := attribute(n, "id"); id != "" && ids[id] {
			t.Errorf("two elements are called %q", id)
		} else {
			ids[id] = true
		}
		if attribute(n, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(n, "content")
		}
		src, href := attribute(n, "src"), attribute(n, "href")
		if src != "" && !strings.HasPrefix(src, "data:image/png;base64,") {
			t.Errorf("<%s> loads %.60q", n.Data, src)
		}
		if strings.HasPrefix(href, "#") {
			targets = append(targets, href[1:])
		} else if href != "" || n.Data == "link" {
			t.Errorf("<%s> leads to %q", n.Data, href)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s %s>, which the policy forbids", n.Data, a.Key)
			}
		}
		checkNamed(t, n)
		checkAllowed(t, n, policy)
	}
	for _, id := range targets {
		if !ids[id] {
			t.Errorf("a link leads to #%s, which is not there", id)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'; img-src data:;") {
		t.Errorf("policy %q", policy)
	}
}

// checkAllowed computes the hashes of scripts and styles again.
func checkAllowed(t *testing.T, n *html.Node, policy string) {
	t.Helper()
	if n.Data != "style" && (n.Data != "script" || attribute(n, "type") != "") {
		return
	}
	sum := sha256.Sum256([]byte(content(n)))
	hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if !strings.Contains(policy, hash) {
		t.Errorf("the policy forbids a <%s>: %s is not in %q", n.Data, hash, policy)
	}
}

// checkNamed reports what a screen reader could not name.
func checkNamed(t *testing.T, n *html.Node) {
	t.Helper()
	label := attribute(n, "aria-label")
	switch n.Data {
	case "img":
		if attribute(n, "alt") == "" {
			t.Error("a picture without a text in its place")
		}
	case "canvas", "nav":
		if label == "" {
			t.Errorf("a <%s> without a name", n.Data)
		}
	case "button":
		if label == "" && strings.TrimSpace(content(n)) == "" {
			t.Error("a button without a name")
		}
	case "input":
		if label == "" && n.Parent.Data != "label" {
			t.Error("an input without a label")
		}
	case "svg":
		if label == "" && attribute(n, "aria-hidden") != "true" {
			t.Error("an <svg> without a name")
		}
	}
}

// The page of two runs: what it shows is what the runs hold, and the same at any number of threads.
func TestPage(t *testing.T) {
	first, second := tiny(t, "first", nil), tiny(t, "second", encoder)
	p, text := rendered(t, Options{Threads: 1}, first, second)
	_, again := rendered(t, Options{Threads: 3}, first, second)
	if text != again {
		t.Error("another page with another number of threads")
	}
	check(t, text)
	contains(t, text, "<title>first, second – plume</title>", "What differs", "Held-out rows",
		"plume train --config ", "e35d1741144f8c86c8bbe6ca3c95f9d5", "nearest training image",
		">decoder_widths<")
	for _, r := range p.Runs {
		if len(r.Notes) > 0 || r.State != "finished" || r.Latents.Scatter == nil ||
			len(r.Health) == 0 || len(r.Time) != 3 || len(r.Memory) < 5 {
			t.Errorf("%s: %s, notes %q", r.Name, r.State, r.Notes)
		}
		if m, ok := r.Quality.Metric("pca64_fd"); !ok || !m.Floor.Finite() || !m.Low.Finite() {
			t.Errorf("%s: PCA-64 FD %+v", r.Name, m)
		}
	}
	checkFrames(t, p.Runs[0], first)
	checkNearest(t, p.Runs[0])
	if !slices.ContainsFunc(p.Differences, func(d run.Difference) bool {
		return d.Name == "latent" && slices.Equal(d.Values, []string{"8", "2"})
	}) {
		t.Errorf("differences %v", p.Differences)
	}
}

func decode(t *testing.T, uri string) (text []byte, picture image.Image) {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(uri, "data:image/png;base64,"))
	if err == nil {
		picture, err = png.Decode(bytes.NewReader(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return text, picture
}

// The pictures over time are those that the run has written; the last, which is drawn from the
// checkpoint, too.
func checkFrames(t *testing.T, r *Run, dir string) {
	t.Helper()
	frames := r.Samples[0].Frames
	if len(frames) != 3 || len(r.Recons[0].Frames) != 3 {
		t.Fatalf("%d and %d pictures over time, expected 3", len(frames), len(r.Recons[0].Frames))
	}
	files, err := filepath.Glob(filepath.Join(dir, "samples", "step-*.png"))
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for i, f := range frames {
		want, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := decode(t, string(f.URI)); !bytes.Equal(got, want) {
			t.Errorf("the picture of step %d is not %s", f.Step, files[i])
		}
	}
}

// The nearest training row is found again from the pixels of the pictures alone.
func checkNearest(t *testing.T, r *Run) {
	t.Helper()
	last := r.Samples[0].Frames
	_, samples := decode(t, string(last[len(last)-1].URI))
	_, rows := decode(t, r.Nearest.URI)
	digits, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	train, _, err := data.Split(digits, 0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 64)
	for _, i := range []int{0, 7, 42, 99} {
		sample, shown := tile(samples, r.Nearest.Grid, i), tile(rows, r.Nearest.Grid, i)
		best := math.Inf(1)
		for k := range train.Len() {
			train.Gather(x, []int{k})
			best = min(best, difference(x, sample))
		}
		// Pictures round to 255 levels, which are 2/255 apart: off by 1/255 at most, each.
		if got := difference(shown, sample); math.Abs(got-best) > 2./255 {
			t.Errorf("sample %d: the row shown is %v away, the nearest %v", i, got, best)
		}
		if rms := r.Nearest.RMS[i]; math.Abs(rms-best) > 2./255 {
			t.Errorf("sample %d: the distance is %v, expected %v", i, rms, best)
		}
	}
}

// difference is the root mean square.
func difference(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v-b[i]) * float64(v-b[i])
	}
	return math.Sqrt(sum / float64(len(a)))
}

// tile is row i of a grid of 8 x 8 pictures.
func tile(from image.Image, g Grid, i int) (x []float32) {
	left, top := g.Left+i%g.Cols*g.Right, g.Top+i/g.Cols*g.Down
	for v := range 8 {
		for u := range 8 {
			at := from.At(left+(2*u+1)*g.Width/16, top+(2*v+1)*g.Height/16)
			level, _, _, _ := at.RGBA()
			x = append(x, float32(level>>8)/127.5-1)
		}
	}
	return x
}

// Tables and signals have the pictures that fit them, and nothing that cells hold is markup.
func TestKinds(t *testing.T) {
	p, text := rendered(t, Options{}, tiny(t, "table", onTable(tableFile(t))),
		tiny(t, "signals", onSignals(signalFile(t))))
	check(t, text)
	table, signals := p.Runs[0], p.Runs[1]
	for _, r := range p.Runs {
		if len(r.Notes) > 0 {
			t.Errorf("%s: %q", r.Name, r.Notes)
		}
	}
	if len(table.Samples) != 2 || table.Nearest != nil || len(table.Recons) != 1 ||
		len(table.Quality.Columns) != 3 || len(table.Latents.Scatter.Text) == 0 {
		t.Errorf("the table has %d strips, %+v", len(table.Samples), table.Quality.Columns)
	}
	if strings.Contains(text, "<b>") {
		t.Error("a category became markup")
	}
	if signals.Nearest == nil || signals.Latents.Scatter.Sprite == nil ||
		!slices.ContainsFunc(signals.Drawn, func(p Picture) bool { return p.Title == "Spectra" }) {
		t.Errorf("signals: pictures %d", len(signals.Drawn))
	}
}

// A run whose data are gone shows what is left, with a note.
func TestWithoutData(t *testing.T) {
	path := tableFile(t)
	dir := tiny(t, "gone", onTable(path))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	var warned []string
	o := Options{Warn: func(text string) { warned = append(warned, text) }}
	p, text := rendered(t, o, dir)
	check(t, text)
	contains(t, strings.Join(warned, "\n"), "which is not there: say with --data")
	contains(t, text, "which is not there: say with --data", "was not measured")
	if p.Runs[0].Latents == nil || len(p.Runs[0].Samples) != 2 {
		t.Error("latents and pictures are missing, which need no data")
	}
}

// The data that the scripts read are whole.
func TestPayload(t *testing.T) {
	dir := tiny(t, "run", func(c *config.Config) { c.Epochs, c.EvalSamples = 2, 0 })
	_, text := rendered(t, Options{Measure: None}, dir)
	check(t, text)
	var read struct {
		Charts []struct{ Key string }
		Curves []struct{ X, Y map[string][]*float64 }
	}
	for _, n := range parse(t, text) {
		if attribute(n, "id") == "data" {
			if err := json.Unmarshal([]byte(content(n)), &read); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(read.Curves) != 1 || len(read.Curves[0].X["step"]) != 2 ||
		*read.Curves[0].X["step"][1] != 34 || len(read.Curves[0].Y["recon_mse"]) != 2 {
		t.Errorf("%+v", read)
	}
	for _, chart := range read.Charts {
		if chart.Key == "pca64_fd" {
			t.Error("a chart of a distance that was not measured")
		}
	}
}
