package classify

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/fit"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// smallConv is options of a convolutional classifier that trains quickly.
var smallConv = Options{
	Seed: 3, Network: Network{Stages: model.Stages{Channels: []int{12, 8}, Blocks: 1}}, Flip: true,
	Epochs: 2, Batch: 32, LR: 1e-2, Smoothing: 0.1, Holdout: 0.2,
}

// patterns are colour pictures of 8 x 8 pixels, stripes and checkerboards of a random colour under
// noise. Their classes differ in no single pixel: a linear model would have to guess.
type patterns struct{ table }

func newPatterns(n int) patterns {
	p := patterns{table{make([]float32, n*p8.Dim()), make([]int, n)}}
	kernel.Uniform(p.x, kernel.Key{Seed: 6}, 0)
	colours := make([]float32, 3*n)
	kernel.Normal(colours, kernel.Key{Seed: 7}, 0)
	for i := range p.labels {
		p.labels[i] = i % 3
		image := p.x[i*p8.Dim():][:p8.Dim()]
		for j := range image {
			h, w := j/3/p8.W, j/3%p8.W
			odd := []int{h, w, h + w}[i%3] % 2
			image[j] += float32(1-2*odd)*colours[3*i+j%3]/2 - 0.5
		}
	}
	return p
}

var p8 = data.Shape{H: 8, W: 8, C: 3}

func (patterns) Shape() data.Shape { return p8 }
func (p patterns) Gather(dst []float32, idx []int) {
	for i, m := range idx {
		copy(dst[i*p8.Dim():(i+1)*p8.Dim()], p.x[m*p8.Dim():])
	}
}

// The shape of the images decides on the network: small ones of grey get an MLP. Pictures are
// brought to a side of at most 16 pixels, and halved twice from there, as long as they are even.
func TestDefaultNetwork(t *testing.T) {
	for _, c := range []struct {
		image    data.Shape
		halvings int
		channels []int
	}{
		{data.Shape{H: 28, W: 28, C: 1}, 0, nil},
		{data.Shape{H: 1, W: 64, C: 1}, 0, nil},
		{data.Shape{H: 33, W: 33, C: 3}, 0, nil},
		{data.Shape{H: 32, W: 32, C: 3}, 1, []int{128, 64, 32}},
		{data.Shape{H: 32, W: 32, C: 1}, 1, []int{128, 64, 32}},
		{data.Shape{H: 256, W: 128, C: 3}, 4, []int{128, 64, 32}},
		{data.Shape{H: 28, W: 28, C: 3}, 1, []int{64, 32}},
		{data.Shape{H: 8, W: 8, C: 3}, 0, []int{128, 64, 32}},
		{data.Shape{H: 34, W: 34, C: 3}, 1, []int{32}},
	} {
		n := Default(c.image).Network
		if n.Halvings != c.halvings || !slices.Equal(n.Stages.Channels, c.channels) ||
			n.Convolutional() == (len(n.Hidden) > 0) {
			t.Errorf("%v: %+v, expected %d halvings, channels %v", c.image, n, c.halvings,
				c.channels)
		}
		all := Classifier{Options: Default(c.image), Classes: []int{0, 1}}
		if err := all.build(c.image); err != nil {
			t.Errorf("%v: %v", c.image, err)
		}
	}
}

// Patterns that no pixel tells apart are recognised: guessing gives a third.
func TestLearnsPatterns(t *testing.T) {
	o := smallConv
	o.Epochs = 4
	c := train(t, newPatterns(600), o, 2)
	if c.Accuracy < 0.9 || c.Tested != 120 || c.FeatureCount() != 12 {
		t.Errorf("accuracy %v on %d images, %d features, expected more than 0.9 on 120, and 12",
			c.Accuracy, c.Tested, c.FeatureCount())
	}
}

func TestConvDeterminism(t *testing.T) {
	ds := newPatterns(200)
	first, again := train(t, ds, smallConv, 1), train(t, ds, smallConv, 3)
	if again.Hash() != first.Hash() || again.Accuracy != first.Accuracy {
		t.Errorf("3 workers: %v, %s; 1 worker: %v, %s", again.Accuracy, again.Hash(),
			first.Accuracy, first.Hash())
	}
}

// The gradient of a batch has the same bits in one wave and in several.
func TestWaves(t *testing.T) {
	ds := newPatterns(40)
	tr, _, classes, err := split(ds, smallConv.Holdout, smallConv.Seed)
	if err != nil {
		t.Fatal(err)
	}
	p := pool.New(1)
	defer p.Close()
	gradient := func(wave int) []float32 {
		c := &Classifier{Options: smallConv, Classes: classes}
		if err := c.build(ds.Shape()); err != nil {
			t.Fatal(err)
		}
		if !c.net.CutFree() {
			t.Skip("waves show in the bits of a library's products, by design")
		}
		training, err := fit.New(c.net, c.p, model.Size{Rows: 32, Wave: wave, Tile: 3}, p)
		if err != nil {
			t.Fatal(err)
		}
		training.Step(c.problem(tr), data.Range(0, 32), 0)
		return training.G
	}
	want := gradient(32)
	if got := gradient(7); !slices.Equal(got, want) {
		t.Error("the gradient in waves of at most 7 rows differs")
	}
	if slices.Max(want) == 0 {
		t.Error("no gradient")
	}
}

// A pass holds each image and its mirror image once; the limits of the steps cut or add passes.
func TestSteps(t *testing.T) {
	ds := newPatterns(100) // 80 to train on, 160 with mirror images: 5 steps
	p := pool.New(1)
	defer p.Close()
	for _, c := range []struct{ epochs, least, most, passes int }{
		{1, 0, 0, 1}, {2, 0, 0, 2}, {1, 11, 0, 3}, {3, 0, 6, 2}, {1, 10, 3, 1},
	} {
		o := smallConv
		o.Epochs, o.MinSteps, o.MaxSteps = c.epochs, c.least, c.most
		var seen []int
		_, err := Train(t.Context(), ds, o, p, func(pass, passes int) {
			if seen = append(seen, pass); passes != c.passes {
				t.Errorf("%+v: %d passes", c, passes)
			}
		})
		if err != nil || len(seen) != c.passes || seen[len(seen)-1] != c.passes {
			t.Errorf("%+v: passes %v, %v", c, seen, err)
		}
	}
}

// counted are images that note how many are gathered at once.
type counted struct {
	patterns
	most *int
}

func (c counted) Gather(dst []float32, idx []int) {
	*c.most = max(*c.most, len(idx))
	c.patterns.Gather(dst, idx)
}

// The memory of images does not grow with their number.
func TestBlocks(t *testing.T) {
	ds := counted{newPatterns(blockRows + 10), new(int)}
	o := smallConv
	o.MaxSteps = 1
	c := train(t, ds.patterns, o, 2)
	p := pool.New(2)
	defer p.Close()
	if _, err := c.Features(t.Context(), ds, p); err != nil || *ds.most != blockRows {
		t.Errorf("%d images were gathered at once, expected %d: %v", *ds.most, blockRows, err)
	}
}
