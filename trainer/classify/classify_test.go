package classify

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/fit"
	"github.com/plume-ml/plume/trainer/pool"
)

// small is options of a classifier that trains quickly.
var small = Options{
	Seed: 3, Network: Network{Hidden: []int{20, 6}}, Epochs: 2, Batch: 50, LR: 1e-3,
	Smoothing: 0.1, Holdout: 0.2,
}

// table is rows of four numbers with labels.
type table struct {
	x      []float32
	labels []int
}

func (t table) Name() string             { return "table" }
func (t table) Len() int                 { return len(t.labels) }
func (t table) Shape() data.Shape        { return data.Shape{H: 1, W: 4, C: 1} }
func (t table) Label(i int) int          { return t.labels[i] }
func (t table) Origin(i int) data.Origin { return data.Origin{Row: i} }
func (t table) Gather(dst []float32, idx []int) {
	for i, m := range idx {
		copy(dst[4*i:4*i+4], t.x[4*m:])
	}
}

func newTable(labels ...int) table {
	t := table{make([]float32, 4*len(labels)), labels}
	kernel.Uniform(t.x, kernel.Key{Seed: 5}, 0)
	return t
}

func digits(t *testing.T) data.Dataset {
	t.Helper()
	ds, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func train(t *testing.T, ds data.Dataset, o Options, workers int) *Classifier {
	t.Helper()
	p := pool.New(workers)
	defer p.Close()
	c, err := Train(t.Context(), ds, o, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dense is y = x W + b in float64.
func dense(x []float64, weight, bias []float32) []float64 {
	y := make([]float64, len(bias))
	for j := range y {
		y[j] = float64(bias[j])
		for i, v := range x {
			y[j] += v * float64(weight[i*len(bias)+j])
		}
	}
	return y
}

func silu(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v / (1 + math.Exp(-v))
	}
	return y
}

// forward is the network in float64, for two hidden layers.
func (c *Classifier) forward(image []float32) (features, logits []float64) {
	x := make([]float64, len(image))
	for i, v := range image {
		x[i] = float64(v)
	}
	apply := func(x []float64, layer string) []float64 {
		l := c.net.Layout()
		return dense(x, l.View(c.p, layer+".weight"), l.View(c.p, layer+".bias"))
	}
	features = silu(apply(silu(apply(x, "layer0")), "layer1"))
	return features, apply(features, "head")
}

// loss is the smoothed cross-entropy in float64, from its definition.
func loss(logits []float64, class int, smoothing float64) (l float64) {
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(v)
	}
	for j, v := range logits {
		target := smoothing / float64(len(logits))
		if j == class {
			target += 1 - smoothing
		}
		l -= target * math.Log(math.Exp(v)/sum)
	}
	return l
}

func TestCrossEntropy(t *testing.T) {
	const h = 1e-5
	x := []float64{0.3, -1.2, 2, 0.7}
	for class := range x {
		row := []float32{0.3, -1.2, 2, 0.7}
		got := crossEntropy(row, []int{class}, 0.2)
		if want := loss(x, class, 0.2); math.Abs(got-want) > 1e-6 {
			t.Errorf("class %d: cross-entropy %v, expected %v", class, got, want)
		}
		for j := range x {
			up, down := slices.Clone(x), slices.Clone(x)
			up[j] += h
			down[j] -= h
			want := (loss(up, class, 0.2) - loss(down, class, 0.2)) / (2 * h)
			if math.Abs(float64(row[j])-want) > 1e-6 {
				t.Errorf("class %d: gradient %d is %v, expected %v", class, j, row[j], want)
			}
		}
	}
	if got := crossEntropy([]float32{1e4, 0}, []int{0}, 0); got != 0 {
		t.Errorf("cross-entropy %v with a large logit, expected 0", got)
	}
}

// The gradient of a step is that of the mean loss, by central differences in float64. Their error
// and that of float32 are below 1e-4 of gradients near 0.1.
func TestGradient(t *testing.T) {
	ds := newTable(0, 1, 2, 0, 1, 2, 0, 1, 2, 0)
	o := small
	o.Network.Hidden = []int{5, 3}
	p := pool.New(1)
	defer p.Close()
	tr, _, classes, err := split(ds, o.Holdout, o.Seed)
	if err != nil {
		t.Fatal(err)
	}
	c := &Classifier{Options: o, Classes: classes}
	if err := c.build(ds.Shape()); err != nil {
		t.Fatal(err)
	}
	size := fit.Size(c.net, len(tr.class), c.tileRows(), 1)
	training, err := fit.New(c.net, c.p, size, p)
	if err != nil {
		t.Fatal(err)
	}
	mean := func() (l float64) {
		image := make([]float32, 4)
		for i, class := range tr.class {
			tr.images.Gather(image, []int{i})
			_, logits := c.forward(image)
			l += loss(logits, class, o.Smoothing) / float64(len(tr.class))
		}
		return l
	}
	want := make([]float64, len(c.p))
	const h = 1e-3
	for i, v := range c.p {
		c.p[i] = v + h
		up := mean()
		c.p[i] = v - h
		want[i] = (up - mean()) / (2 * h)
		c.p[i] = v
	}
	training.Step(c.problem(tr), []int{0, 1, 2, 3, 4, 5, 6, 7}, 0)
	for i, g := range training.G {
		if math.Abs(float64(g)-want[i]) > 1e-4 {
			t.Errorf("gradient %d is %v, expected %v", i, g, want[i])
		}
	}
}

// It learns: of 1,797 digits linear models recognise some 95 %; guessing gives 10 %.
func TestLearnsDigits(t *testing.T) {
	ds := digits(t)
	c := train(t, ds, Default(ds.Shape()), 2)
	if c.Accuracy < 0.9 || c.Tested != 180 || len(c.Classes) != 10 {
		t.Errorf("accuracy %v on %d images of %d classes, expected more than 0.9 on 180 of 10",
			c.Accuracy, c.Tested, len(c.Classes))
	}
}

// The features agree with the network in float64 on images clamped to [-1, 1], in every block.
func TestFeatures(t *testing.T) {
	ds := digits(t)
	c := train(t, ds, small, 2)
	p := pool.New(2)
	defer p.Close()
	got, err := c.Features(t.Context(), ds, p)
	if err != nil || len(got) != ds.Len()*c.FeatureCount() || c.FeatureCount() != 6 {
		t.Fatalf("%d numbers of width %d", len(got), c.FeatureCount())
	}
	image := make([]float32, 64)
	for _, i := range []int{0, blockRows - 1, blockRows, ds.Len() - 1} {
		ds.Gather(image, []int{i})
		want, _ := c.forward(image)
		for j, w := range want {
			if g := float64(got[i*6+j]); math.Abs(g-w) > 1e-5 {
				t.Errorf("image %d: feature %d is %v, expected %v", i, j, g, w)
			}
		}
	}
	tab := newTable(0, 1, 0, 1, 0, 1, 0, 1)
	far := newTable(tab.labels...)
	for i := range tab.x {
		tab.x[i], far.x[i] = 1, 7
	}
	narrow := small
	narrow.Batch = 2
	c = train(t, newTable(tab.labels...), narrow, 1)
	near, err := c.Features(t.Context(), tab, p)
	if err != nil {
		t.Fatal(err)
	}
	if clamped, err := c.Features(t.Context(), far, p); err != nil || !slices.Equal(near, clamped) {
		t.Error("pixels above 1 are not clamped")
	}
}

// made is rows that tasks of the pool make, as those of a generator are.
type made struct {
	table
	pool *pool.Pool
}

func (m made) Gather(dst []float32, idx []int) {
	m.pool.Run(pool.Group{N: 1, Do: func(int) { m.table.Gather(dst, idx) }})
}

// The images may come from the pool on which the classifier runs.
func TestFeaturesOfMadeImages(t *testing.T) {
	tab := newTable(0, 1, 0, 1, 0, 1, 0, 1)
	narrow := small
	narrow.Batch = 2
	c := train(t, tab, narrow, 1)
	p := pool.New(2)
	done := make(chan []float32)
	go func() {
		x, _ := c.Features(t.Context(), made{tab, p}, p)
		done <- x
	}()
	select {
	case got := <-done:
		p.Close()
		q := pool.New(1)
		defer q.Close()
		want, _ := c.Features(t.Context(), tab, q)
		if !slices.Equal(got, want) {
			t.Error("other features")
		}
	case <-time.After(10 * time.Second):
		t.Error("tasks wait for each other")
	}
}

// The accuracy agrees with the classes that the network in float64 chooses.
func TestAccuracy(t *testing.T) {
	ds := digits(t)
	c := train(t, ds, small, 2)
	_, test, _, err := split(ds, small.Holdout, small.Seed)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	image := make([]float32, 64)
	for i, class := range test.class {
		test.images.Gather(image, []int{i})
		if _, logits := c.forward(image); slices.Max(logits) == logits[class] {
			right++
		}
	}
	if want := float64(right) / float64(len(test.class)); c.Accuracy != want {
		t.Errorf("accuracy %v, expected %v", c.Accuracy, want)
	}
}

// The bits depend only on the data and the options, not on the number of workers.
func TestDeterminism(t *testing.T) {
	ds := digits(t)
	first := train(t, ds, small, 1)
	if again := train(t, ds, small, 3); again.Hash() != first.Hash() ||
		again.Accuracy != first.Accuracy {
		t.Errorf("3 workers: %v, %s; 1 worker: %v, %s", again.Accuracy, again.Hash(),
			first.Accuracy, first.Hash())
	}
	other := small
	other.Seed++
	if train(t, ds, other, 1).Hash() == first.Hash() {
		t.Error("another seed gives the same weights")
	}
	if len(first.Hash()) != 64 {
		t.Errorf("hash %q", first.Hash())
	}
}

// Each image is in one of the two parts, once, with the class of its label.
func TestSplit(t *testing.T) {
	ds := newTable(7, -1, 4, 7, 4, 9, -1, 9, 4, 7)
	tr, test, classes, err := split(ds, 0.25, 1)
	if err != nil || !slices.Equal(classes, []int{4, 7, 9}) || len(test.class) != 2 {
		t.Fatalf("%v, %d to test, %v", classes, len(test.class), err)
	}
	var all []int
	for _, part := range []labelled{tr, test} {
		for i, class := range part.class {
			k := part.images.Origin(i).Row
			if all = append(all, k); classes[class] != ds.labels[k] {
				t.Errorf("image %d: class %d, label %d", k, class, ds.labels[k])
			}
		}
	}
	slices.Sort(all)
	if !slices.Equal(all, []int{0, 2, 3, 4, 5, 7, 8, 9}) {
		t.Errorf("images %v", all)
	}
}

func TestRefusals(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	if _, err := Train(t.Context(), newTable(-1, -1), small, p, nil); !errors.Is(err,
		data.ErrNoLabels) {
		t.Errorf("no labels: %v", err)
	}
	for _, ds := range []table{newTable(1, 1, 1, 1, 1), newTable(0, 1)} {
		_, err := Train(t.Context(), ds, small, p, nil)
		if err == nil || errors.Is(err, data.ErrNoLabels) {
			t.Errorf("labels %v: %v", ds.labels, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Train(ended, digits(t), small, p, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
