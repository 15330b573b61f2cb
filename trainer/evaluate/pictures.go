package evaluate

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/picture"
)

// Names of the pictures in Options.Pictures.
const (
	samplesFile = "samples.png"
	nearestFile = "nearest.png"
	reconFile   = "reconstructions.png"
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
	shape := e.own.Train.Shape()
	path := func(name string) string {
		path := filepath.Join(e.Pictures, name)
		e.report.Pictures = append(e.report.Pictures, path)
		return path
	}
	samples := e.images()
	grid := gather(samples, data.Range(0, min(gridImages, e.Samples)), shape.Dim())
	if err := picture.WriteGrid(path(samplesFile), grid, shape, gridColumns); err != nil {
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
		err := picture.WritePairs(path(nearestFile), top, bottom, shape, gridColumns)
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
	return picture.WritePairs(path(reconFile), originals, decoded, shape, gridColumns)
}

func gather(rows data.Rows, idx []int, dim int) []float32 {
	x := make([]float32, len(idx)*dim)
	rows.Gather(x, idx)
	return x
}
