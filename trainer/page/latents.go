package page

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/run"
)

// Latents are those of training rows beside samples of the prior.
type Latents struct {
	About      string
	Step       int // of the checkpoint
	Rows       int // behind the histograms
	Dimensions int
	Histograms []Histogram // of the first dimensions
	Scatter    *Scatter    // nil: none
}

// Histogram is the distribution of a latent dimension, as paths in a box of 96 x 48.
type Histogram struct {
	Name                  string
	Particles, Prior, Law string // of the latents, of the prior's samples, of N(0, 1)
	Mean, Std             string
}

// Scatter is latents in their first two principal components.
type Scatter struct {
	X       numbers  `json:"x"`
	Y       numbers  `json:"y"`
	Row     []int    `json:"row"`
	Label   []int    `json:"label"` // of Classes; -1: none
	Classes []string `json:"classes"`
	PriorX  numbers  `json:"px"` // samples of the prior
	PriorY  numbers  `json:"py"`
	Share   float64  `json:"share"` // of the variance
	Sprite  *Sprite  `json:"sprite,omitempty"`
	Text    []string `json:"text,omitempty"` // rows of a table
}

// Sprite is pictures of some of the points.
type Sprite struct {
	Grid
	URI string `json:"uri"`
	At  []int  `json:"at"` // the picture of each point; -1: none
}

const (
	mostLatents    = 2000 // behind the histograms
	mostPoints     = 800
	mostHistograms = 64
	mostComponents = 1024 // latent dimensions of which components are computed
	priorPoints    = 400

	spriteNumbers = 1 << 20 // of the rows whose pictures are shown
	spriteCurves  = 100     // signals whose curves are shown
)

// someLatents are latents of some training rows.
type someLatents struct {
	z    []float32 // n x d
	rows []run.Row
	at   []int // among the training rows
}

// latents gathers the latents of training rows.
func (x *reading) latents() error {
	s, err := query.Open(x.stored, x.Raw, x.Threads)
	if err != nil {
		return err
	}
	defer s.Close()
	if x.own == nil && !s.HasParticles() {
		return nil // a note says that the data are not to be had
	}
	some, err := x.someLatents(s)
	if err != nil {
		return err
	}
	d, n := s.Latent(), len(some.rows)
	z := make([]float32, n*d)
	c := x.stored.Config
	if err := s.Generator().SampleLatents(x.ctx, z, n, generate.Spec{
		Solver: c.Solver, Steps: c.SolverSteps, Seed: c.Seed,
	}); err != nil {
		return err
	}
	about := "The first particle of training rows"
	if !s.HasParticles() {
		about = "A draw from q(z|x) of training rows"
	}
	x.Latents = &Latents{
		About: about, Step: s.Generator().Meta().Step, Rows: n, Dimensions: d,
		Histograms: histograms(some.z, z, d),
	}
	if d < 2 || d > mostComponents || n < 3 {
		return nil
	}
	return x.scatter(s, some, z, d)
}

// someLatents reads latents of training rows at equal distances.
func (x *reading) someLatents(s *query.Stored) (out someLatents, err error) {
	var all int
	if x.own != nil {
		all = x.own.Points.Len()
	} else {
		rows, err := run.ReadRows(x.stored.Dir)
		if err != nil {
			return out, err
		}
		all = len(rows)
	}
	out.at = spaced(all, mostLatents)
	d, at, normal := s.Latent(), 0, rand.New(rand.NewPCG(1, 1))
	how := query.Read{
		Path: x.Data, Report: progress.Reporter{Report: x.Progress}, Warn: func(string) {},
	}
	err = s.Trained(x.ctx, how, func(t query.Trained) error {
		for ; at < len(out.at) && out.at[at] < t.Lo+len(t.Rows); at++ {
			i := out.at[at] - t.Lo
			out.rows = append(out.rows, t.Rows[i])
			if t.Particles != nil {
				each := len(t.Particles) / len(t.Rows)
				out.z = append(out.z, t.Particles[i*each:i*each+d]...)
				continue
			}
			for j := i * d; j < (i+1)*d; j++ {
				out.z = append(out.z, t.Mean[j]+t.Std[j]*float32(normal.NormFloat64()))
			}
		}
		return nil
	})
	return out, err
}

// histograms are those of the first dimensions of n x d latents and samples of the prior.
func histograms(z, prior []float32, d int) (all []Histogram) {
	largest := 3.5
	for _, v := range z {
		largest = max(largest, math.Abs(float64(v)))
	}
	largest = min(largest, 8)
	n := len(z) / d
	for k := range min(d, mostHistograms) {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(z[i*d+k])
		}
		own, of := shares(z, d, k, largest), shares(prior, d, k, largest)
		law := make([]float64, bins)
		for i := range law {
			at := (2*(float64(i)+0.5)/bins - 1) * largest
			law[i] = 2 * largest / bins * math.Exp(-at*at/2) / math.Sqrt(2*math.Pi)
		}
		top := 1.05 * slices.Max(slices.Concat(own, of, law))
		mean, std := stat.MeanStdDev(values, nil)
		all = append(all, Histogram{
			Name: fmt.Sprintf("z%d", k+1), Particles: stairs(own, top) + "V48Z",
			Prior: stairs(of, top), Law: stairs(law, top), Mean: fmt.Sprintf("%.2f", mean),
			Std: fmt.Sprintf("%.2f", std),
		})
	}
	return all
}

const bins = 32

// shares are those of dimension k in bins from -largest to largest.
func shares(z []float32, d, k int, largest float64) []float64 {
	out, n := make([]float64, bins), float64(len(z)/d)
	for i := k; i < len(z); i += d {
		at := int((float64(z[i])/largest + 1) / 2 * bins)
		out[max(0, min(bins-1, at))] += 1 / n
	}
	return out
}

// stairs is the outline of bars as a path.
func stairs(heights []float64, top float64) string {
	var path strings.Builder
	path.WriteString("M0 48")
	for i, h := range heights {
		fmt.Fprintf(&path, "V%.1fH%d", 48*(1-h/top), 96*(i+1)/len(heights))
	}
	return path.String()
}

// plane is the first two principal components of latents.
type plane struct {
	axes  mat.Dense // d x d or less
	share float64   // of the variance
}

// newPlane returns nil for latents that are not finite.
func newPlane(z []float32, d int) *plane {
	var pc stat.PC
	if !kernel.AllFinite(z) || !pc.PrincipalComponents(dense(z, d), nil) {
		return nil
	}
	p := &plane{}
	pc.VectorsTo(&p.axes)
	variances := pc.VarsTo(nil)
	p.share = math.Round(1000*floats.Sum(variances[:2])/floats.Sum(variances)) / 1000
	return p
}

// place is where latent i lies.
func (p *plane) place(z []float32, i int) (x, y float64) {
	d, _ := p.axes.Dims()
	for j, v := range z[i*d : (i+1)*d] {
		x += float64(v) * p.axes.At(j, 0)
		y += float64(v) * p.axes.At(j, 1)
	}
	return x, y
}

// classesOf numbers the labels of rows in their order; -1 stays that.
func classesOf(rows []run.Row) (number map[int]int, labels []int) {
	for _, r := range rows {
		if r.Label >= 0 {
			labels = append(labels, r.Label)
		}
	}
	slices.Sort(labels)
	labels, number = slices.Compact(labels), map[int]int{-1: -1}
	for i, label := range labels {
		number[label] = i
	}
	return number, labels
}

// scatter places latents by the principal components of all that were read.
func (x *reading) scatter(s *query.Stored, some someLatents, prior []float32, d int) error {
	p := newPlane(some.z, d)
	if p == nil {
		return nil
	}
	number, labels := classesOf(some.rows)
	out := &Scatter{Share: p.share, Classes: []string{}}
	for _, label := range labels {
		out.Classes = append(out.Classes, labelOf(x.info, label))
	}
	chosen := spaced(len(some.rows), mostPoints)
	for _, i := range chosen {
		px, py := p.place(some.z, i)
		out.X, out.Y = append(out.X, px), append(out.Y, py)
		out.Row = append(out.Row, some.rows[i].Source)
		out.Label = append(out.Label, number[some.rows[i].Label])
	}
	for _, i := range spaced(len(some.rows), priorPoints) {
		px, py := p.place(prior, i)
		out.PriorX, out.PriorY = append(out.PriorX, px), append(out.PriorY, py)
	}
	x.Latents.Scatter = out
	if x.own == nil {
		return nil
	}
	return x.describe(s, out, some, chosen)
}

func dense(z []float32, d int) *mat.Dense {
	values := make([]float64, len(z))
	for i, v := range z {
		values[i] = float64(v)
	}
	return mat.NewDense(len(z)/d, d, values)
}

// describe adds the rows of the points: pictures of as many as have room, or the cells of a table.
func (x *reading) describe(
	s *query.Stored, to *Scatter, some someLatents, chosen []int,
) error {
	points := x.own.Points
	if x.stored.Config.As == data.Columns {
		idx := make([]int, len(chosen))
		for k, i := range chosen {
			idx[k] = some.at[i]
		}
		table := data.Decoded(points, idx)
		for k := range idx {
			to.Text = append(to.Text, cells(table, k))
		}
		return nil
	}
	view := s.View()
	most := max(1, spriteNumbers/view.Shape.Dim())
	if view.Kind == data.Signals {
		most = min(most, spriteCurves)
	}
	shown := spaced(len(chosen), most)
	sprite := &Sprite{At: slices.Repeat([]int{-1}, len(chosen))}
	idx := make([]int, len(shown))
	for k, i := range shown {
		sprite.At[i], idx[k] = k, some.at[chosen[i]]
	}
	rows := make([]float32, len(idx)*view.Shape.Dim())
	points.Gather(rows, idx)
	const cols = 25
	drawn, err := view.Grid(rows, min(cols, len(idx)))
	if err != nil {
		return err
	}
	p, fits, err := x.room.draw("", "", drawn)
	if err != nil || !fits {
		return err
	}
	sprite.URI, sprite.Grid = string(p.URI), gridOf(view.Place, len(idx), min(cols, len(idx)))
	to.Sprite = sprite
	return nil
}
