package evaluate

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/run"
)

// Names of the pictures in Options.Pictures.
const (
	samplesFile  = "samples.png" // of a table the pairs of its columns
	columnsFile  = "columns.png"
	matrixFile   = "associations.png"
	nearestFile  = "nearest.png"
	reconFile    = "reconstructions.png"
	spectrumFile = "spectrum.png"
)

const (
	gridColumns = 10
	gridImages  = 100
	pairImages  = 30
)

// draw writes the pictures: samples; the samples that are nearest to training images, above those
// images; and held-out images above the images of their posterior means. The last two need that
// their metrics were measured.
func (e *evaluation) draw() error {
	if err := os.MkdirAll(e.Pictures, 0o777); err != nil {
		return fmt.Errorf("pictures: %w", err)
	}
	if e.schema != nil {
		return e.drawTable()
	}
	shape, path := e.own.Train.Shape(), e.picturePath
	samples := e.images()
	grid := gather(samples, data.Range(0, min(gridImages, e.Samples)), shape.Dim())
	view := run.View(e.config, shape)
	if err := e.drawSpectra(); err != nil {
		return err
	}
	if err := view.WriteGrid(path(samplesFile), grid, gridColumns); err != nil {
		return err
	}
	if e.neighbours != nil {
		closest := e.neighbours.Closest(pairImages)
		nearest := make([]int, len(closest))
		for i, k := range closest {
			nearest[i] = e.neighbours.Index[k]
		}
		top := gather(samples, closest, shape.Dim())
		bottom := gather(e.own.Points, nearest, shape.Dim())
		names := [2]string{"samples", "the training rows nearest to them"}
		err := view.WritePairs(path(nearestFile), names, top, bottom, gridColumns)
		if err != nil {
			return err
		}
	}
	if e.inferred == nil {
		return nil
	}
	n := min(pairImages, e.inferredImages.Len())
	decoded := make([]float32, n*shape.Dim())
	idx := data.Range(0, n)
	e.generator.Decode(decoded, e.inferred[:n*e.generator.Latent()],
		e.conditionsOf(e.inferredImages, idx))
	originals := gather(e.inferredImages, idx, shape.Dim())
	names := [2]string{"held-out rows", "their reconstructions"}
	return view.WritePairs(path(reconFile), names, originals, decoded, gridColumns)
}

// picturePath returns the path of a picture, which the report names.
func (e *evaluation) picturePath(name string) string {
	path := filepath.Join(e.Pictures, name)
	e.report.Pictures = append(e.report.Pictures, path)
	return path
}

// drawTable draws the columns of samples and of training rows: each alone, in pairs, and their
// associations. What cannot be drawn of them is left out.
func (e *evaluation) drawTable() error {
	order := shuffled(e.own.Train.Len(), e.Seed)
	real := data.Decoded(e.own.Train, order[:min(len(order), mostRows)])
	samples := e.schema.Decoded(gather(e.images(), data.Range(0, e.Samples), e.generator.Dim()),
		nil)
	names := [2]string{"data", "samples"}
	both := picture.Tables(names, real, samples)
	matrices := figure.Matrices{Names: names}
	for i, t := range []*columns.Table{real, samples} {
		m, err := metric.NewAssociations(associated(e.variables(t)))
		if err != nil {
			return err
		}
		matrices.At[i] = m.At
	}
	for _, c := range both.Columns[:min(mostAssociated, len(both.Columns))] {
		matrices.Things = append(matrices.Things, c.Name)
	}
	for _, p := range []struct {
		name string
		draw func() (image.Image, error)
	}{{columnsFile, both.Marginals}, {samplesFile, both.Pairs}, {matrixFile, matrices.Draw}} {
		drawn, err := p.draw()
		if errors.Is(err, figure.ErrEmpty) {
			continue
		}
		if err == nil {
			err = picture.Write(e.picturePath(p.name), drawn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func gather(rows data.Rows, idx []int, dim int) []float32 {
	x := make([]float32, len(idx)*dim)
	rows.Gather(x, idx)
	return x
}
