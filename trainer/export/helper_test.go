package export

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// example is a run with random parameters, those that start at zero included.
type example struct {
	method  config.Method
	keys    string // of the configuration, with spaces between
	picture data.Shape
}

// examples have every kind of network, prior and layer that a run can have.
var examples = map[string]example{
	"mlp": {"ipld", "latent=5 decoder_widths=[7,6] score_width=8",
		data.Shape{H: 2, W: 3, C: 1}},
	"mlp-classes": {"ipld", "latent=5 decoder_widths=[7] score_width=8 condition=both classes=4",
		data.Shape{H: 1, W: 6, C: 1}},
	"gaussian": {"pgd", "latent=4 decoder_widths=[]", data.Shape{H: 3, W: 2, C: 3}},
	"vae":      {"vae", "network=mlp latent=3 encoder_widths=[9]", data.Shape{H: 2, W: 2, C: 3}},
	"two-stage": {"two-stage", "latent=3 score_width=8 encoder_widths=[5]",
		data.Shape{H: 4, W: 2, C: 1}},
	"no-average": {"ipld", "latent=4 ema=0 score_width=8", data.Shape{H: 2, W: 2, C: 1}},
	"unet": {"ipld", "decoder=conv latent_shape=[4,4,2] decoder_channels=[8,12] decoder_blocks=2 " +
		"unet_channels=[8,16] score_heads=2 score_width=8 condition=both classes=3",
		data.Shape{H: 8, W: 8, C: 3}},
	"unet-deep": {"ipld", "decoder=conv latent_shape=[2,4,3] decoder_channels=[6] " +
		"unet_channels=[8,8] score_heads=0 score_width=8 cloud_init=pca",
		data.Shape{H: 2, W: 4, C: 3}},
	"transformer": {"ipld", "decoder=conv latent_shape=[2,3,4] decoder_channels=[8,4] " +
		"score=transformer score_heads=2 score_width=8 condition=prior classes=2",
		data.Shape{H: 4, W: 6, C: 1}},
	"conv-encoder": {"vae+diffusion", "decoder=conv encoder=conv latent_shape=[2,2,2] " +
		"decoder_channels=[8,4] encoder_channels=[6,4] unet_channels=[8] score_width=8 " +
		"condition=both classes=2", data.Shape{H: 4, W: 4, C: 3}},
	"signal": {"ipld", "decoder=conv latent_shape=[1,8,3] decoder_channels=[8,6] " +
		"decoder_blocks=1 " +
		"unet_channels=[8,12] score_heads=2 score_width=8 condition=both classes=3",
		data.Shape{H: 1, W: 16, C: 2}},
	"signal-encoder": {"vae+diffusion", "decoder=conv encoder=conv latent_shape=[1,2,4] " +
		"decoder_channels=[8,8,4] encoder_channels=[6,6,4] unet_channels=[8] score_width=8",
		data.Shape{H: 1, W: 8, C: 1}},
	"columns": {"ipld", "likelihood=normal:2,bernoulli,categorical:3 latent=4 score_width=8 " +
		"decoder_widths=[7] cloud_init=pca", data.Shape{H: 1, W: 6, C: 1}},
	"clipped": {"ipld", "likelihood=clipped latent=5 decoder_widths=[7] score_width=8",
		data.Shape{H: 2, W: 3, C: 1}},
	"bf16": {"ipld", "latent=8 decoder_widths=[32] score_width=32 precision=bf16",
		data.Shape{H: 4, W: 4, C: 1}},
}

// names lists the examples in order.
func names() (all []string) {
	for name := range examples {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// configuration is the example's, resolved.
func (e example) configuration(t testing.TB) config.Config {
	t.Helper()
	c, err := method.DefaultFor(e.method)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{"score_features": true, "score_blocks": true}
	c.Options.ScoreFeatures, c.Options.ScoreBlocks = 6, 2
	for _, pair := range strings.Fields(e.keys) {
		key, value, _ := strings.Cut(pair, "=")
		given[key] = true
		if err := c.Key(key).Set(strings.Trim(value, "[]")); err != nil {
			t.Fatalf("%s: %v", pair, err)
		}
	}
	c, err = method.Resolve(c, e.picture, func(key string) bool { return given[key] })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// points is the example's training images: of every class, one without, one mirrored.
type points struct {
	data.Table
	shape data.Shape
}

func (p points) Shape() data.Shape { return p.shape }
func (p points) Origin(i int) data.Origin {
	return data.Origin{Row: 2*i + 1, File: fmt.Sprintf("%d.png", i), Flipped: i == 2}
}

func (e example) points() points {
	const n = 6
	return points{data.Table{
		D: e.picture.Dim(), X: reference.Normals(n*e.picture.Dim(), 3, 1),
		Labels: []int32{0, 1, 2, 3, -1, 0},
	}, e.picture}
}

// store makes a run of the example and returns it.
func (e example) store(t testing.TB) *run.Run {
	t.Helper()
	c, dir := e.configuration(t), filepath.Join(t.TempDir(), "run")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p := pool.New(1)
	defer p.Close()
	all := e.points()
	classes := data.Classes{}
	if c.Conditional() {
		all.Labels = all.Labels[:len(all.Labels):len(all.Labels)]
		for i, l := range all.Labels {
			all.Labels[i] = min(l, int32(c.Classes)-1)
		}
		var err error
		if classes, err = data.ClassesOf(all); err != nil {
			t.Fatal(err)
		}
	}
	w := &run.Writer{Dir: dir, Files: file.OS}
	m, err := method.New(c.Method, method.Setup{
		Options: c.Options, Train: all, Batch: 3, Tile: 4, Pool: p, Classes: classes, Steps: 10,
		Placed: func(c *method.Components) { check(t, w.StoreStart(c)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tensors := m.Tensors()
	for i, x := range tensors {
		if len(x.Parts) > 0 {
			copy(x.F32, reference.Normals(len(x.F32), uint64(20+i), 0.4))
		}
	}
	info := run.NewInfo(c, "ab12", e.picture)
	if classes.Len() > 0 {
		info.Classes = &classes
	}
	text, err := c.TOML()
	check(t, err)
	saved := checkpoint.Writer{Files: file.OS, RunDir: dir}
	pending, err := saved.Begin(checkpoint.Meta{
		Method: string(c.Method), Step: 40, Epoch: 2, Seed: c.Seed, Data: c.Data,
		Fingerprint: "ab12", Config: string(text),
	}, tensors)
	check(t, err)
	_, err = pending.Commit()
	check(t, err)
	held := points{data.Table{D: 1, X: []float32{0}}, e.picture}
	check(t, w.StoreRows(all, held))
	check(t, w.StoreInfo(info))
	check(t, w.StoreConfig(c))
	return open(t, dir)
}

func open(t testing.TB, dir string) *run.Run {
	t.Helper()
	r, err := run.Open(dir)
	check(t, err)
	return r
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exported writes the example's model, and returns the path.
func exported(t testing.TB, r *run.Run, o Options, name string) string {
	t.Helper()
	m, err := FromRun(r, o)
	check(t, err)
	path := filepath.Join(t.TempDir(), name)
	check(t, m.Write(file.OS, path))
	return path
}

// wantError checks that the text of an error has all parts.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, expected one with %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}
