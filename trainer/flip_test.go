package trainer

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// Training with flip is training on the images and their mirror images, bit for bit, with particles
// for each of them.
func TestFlipIsMoreImages(t *testing.T) {
	images, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images = data.Subset(images, data.Range(0, 60))
	both := data.Table{D: 64, X: make([]float32, 120*64)}
	images.Gather(both.X[:60*64], data.Range(0, 60))
	for line := range 60 * 8 {
		for x := range 8 {
			both.X[60*64+line*8+x] = both.X[line*8+7-x]
		}
	}
	for _, name := range []config.Method{config.IPLD, config.VAE} {
		c, err := method.DefaultFor(name)
		if err != nil {
			t.Fatal(err)
		}
		c.As = data.Numbers // as the mirrored images are, so that both have the same defaults
		c.Holdout, c.Epochs, c.Batch, c.DecoderWidths = 0, 2, 50, []int{16}
		if method.Reads(name, "score_width") {
			c.ScoreWidth = 16
		}
		state := func(images data.Dataset, flip bool) any {
			c.Flip = flip
			m, err := Train(t.Context(), c, images)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			z, err := m.Latents()
			if err != nil || len(z) != 120*c.Latent {
				t.Fatalf("%s: %d latents, %v", name, len(z), err)
			}
			return []any{z, copies(m.method.Tensors())}
		}
		if !reflect.DeepEqual(state(images, true), state(both, false)) {
			t.Errorf("%s: another state than with mirrored images as data", name)
		}
	}
	c := smallRun()
	c.Flip = true
	if _, err := Train(t.Context(), c, both); err == nil ||
		!strings.Contains(err.Error(), "1 x 64") {
		t.Errorf("rows of numbers: %v", err)
	}
}

// A run with flip: nothing held out is flipped, rows.csv tells mirror images apart, the memory is
// that of twice the datapoints, and a resumed run has the same ones.
func TestFlippedRun(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	c.Holdout, c.Flip, c.Epochs = 0.5, true, 1
	var said []string
	hook := WithHook(Hook{OnMessage: func(s string) { said = append(said, s) }})
	tr, err := New(t.Context(), c, dir, hook)
	if err != nil {
		t.Fatal(err)
	}
	const m, held = 898, 899
	if tr.data.train.Len() != m || tr.data.points.Len() != 2*m || tr.data.held.Len() != held {
		t.Errorf("%d images, %d datapoints, %d held out", tr.data.train.Len(),
			tr.data.points.Len(), tr.data.held.Len())
	}
	if !slices.Contains(said, "Flipped too: 1,796 datapoints of 898 training images") {
		t.Errorf("messages %q", said)
	}
	want := reference.ArrayBytes([]any{tr.data.train, tr.data.held, tr.data.points}) +
		memory.Array[int](2*2*m) // the orders of two epochs
	if got := tr.memory.Parts[1].Bytes; got != want {
		t.Errorf("the data are counted as %d bytes, and are %d", got, want)
	}
	rows := readRows(t, dir)
	for i, r := range rows {
		split, particle := "train", strconv.Itoa(i)
		switch {
		case i >= 2*m:
			split, particle = "held-out", ""
		case i >= m:
			split = "flipped"
			if !slices.Equal(r[1:4], rows[i-m][1:4]) {
				t.Fatalf("row %d: %q mirrors %q", i, r, rows[i-m])
			}
		}
		if r[0] != particle || r[4] != split {
			t.Fatalf("row %d: %q; expected %q, %q", i, r, particle, split)
		}
	}
	if len(rows) != 2*m+held {
		t.Errorf("%d rows", len(rows))
	}
	if got := source(tr.data.points.Origin(m)); got !=
		source(tr.data.points.Origin(0))+", flipped" {
		t.Errorf("source %q", got)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	plain := c
	plain.Flip = false
	if _, err := Resume(t.Context(), dir, plain); err == nil ||
		!strings.Contains(err.Error(), "flip") {
		t.Errorf("resumed without: %v", err)
	}
	stored, err := run.Open(dir)
	if err != nil || !stored.Config.Flip {
		t.Errorf("stored: %v, %v", stored.Config.Flip, err)
	}
}
