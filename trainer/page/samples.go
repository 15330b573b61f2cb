package page

import (
	"cmp"
	"context"
	"fmt"
	"image"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// Nearest is the training rows nearest to the samples of a grid, which are drawn in the same
// places.
type Nearest struct {
	Grid
	Step int      `json:"step"` // of the grid of samples
	URI  string   `json:"uri"`
	RMS  numbers  `json:"rms"` // root mean squared difference of their numbers
	Rows []int    `json:"rows"`
	Of   []string `json:"labels"`
}

// Grid says where a picture of rows has them, in pixels.
type Grid struct {
	N      int `json:"n"`
	Cols   int `json:"cols"`
	Left   int `json:"left"`
	Top    int `json:"top"`
	Width  int `json:"width"`
	Height int `json:"height"`
	Right  int `json:"dx"` // from a row to the next
	Down   int `json:"dy"`
}

const gridColumns = 10

// drawSamples draws the samples of the newest checkpoint as the run's reports do, and the training
// rows nearest to them. Those of a table are only drawn by the reports.
func (x *reading) drawSamples() error {
	if x.stored.Config.As == data.Columns {
		return nil
	}
	g, err := x.stored.Generator(!x.Raw, x.Threads)
	if err != nil {
		return err
	}
	defer g.Close()
	spec, n := trainer.Shown(g.Generator, x.stored.Config, g.Classes().Len())
	samples := make([]float32, n*g.Dim())
	if err := g.Sample(x.ctx, samples, n, spec); err != nil {
		return err
	}
	view := g.View()
	drawn, err := view.Grid(samples, gridColumns)
	if err != nil {
		return err
	}
	p, fits, err := x.room.draw("Samples", "", drawn)
	if err != nil || !fits {
		return err
	}
	x.drawn = &Frame{g.Meta().Step, p}
	if x.own == nil {
		return nil
	}
	return x.nearest(g, samples)
}

// nearest finds the training rows nearest to samples.
func (x *reading) nearest(g *run.Generator, samples []float32) error {
	points := x.own.Points
	asked := data.Table{D: g.Dim(), X: samples}
	found, err := closest(x.ctx, asked, points, x.stored.Config.Seed, g.Pool())
	if err != nil {
		return err
	}
	rows := make([]float32, len(samples))
	points.Gather(rows, found.Index)
	drawn, err := g.View().Grid(rows, gridColumns)
	if err != nil {
		return err
	}
	p, fits, err := x.room.draw("", "", drawn)
	if err != nil || !fits {
		return err
	}
	x.Nearest = &Nearest{
		Grid: gridOf(g.View().Place, len(found.Index), gridColumns), Step: g.Meta().Step,
		URI: string(p.URI), RMS: found.RMS,
	}
	for _, i := range found.Index {
		x.Nearest.Rows = append(x.Nearest.Rows, points.Origin(i).Row)
		x.Nearest.Of = append(x.Nearest.Of, labelOf(x.info, points.Label(i)))
	}
	return nil
}

// closest finds the points nearest to samples. If values of the points are missing, samples are
// compared with holes like theirs, as evaluations compare them.
func closest(
	ctx context.Context, samples data.Table, points data.Dataset, seed uint64, p *pool.Pool,
) (*metric.Neighbours, error) {
	holed := data.Holed(samples, points, seed)
	of, err := metric.Values(ctx, holed, samples.D, data.KindOf(points).Bounded())
	if err != nil {
		return nil, err
	}
	return evaluate.Nearest(ctx, of, points, p, func(string) {})
}

// gridOf is where place puts n rows, cols to a line.
func gridOf(place func(i, n, cols int) image.Rectangle, n, cols int) Grid {
	first := place(0, n, cols)
	return Grid{
		N: n, Cols: cols, Left: first.Min.X, Top: first.Min.Y, Width: first.Dx(),
		Height: first.Dy(), Right: place(1, max(n, 2), max(cols, 2)).Min.X - first.Min.X,
		Down: place(cols, n+cols, cols).Min.Y - first.Min.Y,
	}
}

// labelOf is the name of a class; "" if a row has none.
func labelOf(info run.Info, label int) string {
	if label < 0 {
		return ""
	}
	if read := info.Read; read != nil && label < len(read.ClassNames) {
		return cmp.Or(read.ClassNames[label], fmt.Sprint(label))
	}
	return fmt.Sprint(label)
}
