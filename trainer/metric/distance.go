package metric

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Distance is the PCA-64 FD of samples (rows of D values, clamped to [-1, 1] here) from the
// training images: with means a, b and covariances A, B in the leading components,
//
//	|a - b|^2 + tr(A + B - 2 (A^{1/2} B A^{1/2})^{1/2}).
//
// It is 0 for the training images themselves. Two finite sets of the same distribution are some way
// apart, too: compare distances at equal n. Fewer than two samples and values that are not finite are
// errors. The samples are gathered in blocks, each once.
func (p *PCA) Distance(samples RowSource) (float64, error) {
	if n := samples.Len(); n < 2 {
		return 0, fmt.Errorf("metric: PCA-64 FD of %d samples, expected 2 or more", n)
	}
	coordinates, err := p.project(samples)
	if err != nil {
		return 0, err
	}
	return p.training().frechet(newGaussian(coordinates))
}

// training is the training images' distribution in their own components: about 0, and without correlation.
func (p *PCA) training() *gaussian {
	k := p.K()
	g := &gaussian{mean: make([]float64, k), root: mat.NewDense(k, k, nil)}
	for i, v := range p.variances {
		g.trace += v
		g.root.Set(i, i, math.Sqrt(v))
	}
	return g
}

// project returns the clamped samples' coordinates, n x K; those of the training mean are 0.
func (p *PCA) project(samples RowSource) (out *mat.Dense, err error) {
	dim := len(p.mean)
	out = mat.NewDense(samples.Len(), p.K(), nil)
	room := make([]float64, min(blockRows, samples.Len())*dim)
	eachBlock(samples, dim, func(block []float32, lo, n int) {
		for i, v := range block {
			if !finite(float64(v)) && err == nil {
				err = fmt.Errorf("metric: PCA-64 FD: sample %d holds %v", lo+i/dim, v)
			}
			room[i] = min(1, max(-1, float64(v))) - p.mean[i%dim]
		}
		centred := mat.NewDense(n, dim, room[:n*dim])
		out.Slice(lo, lo+n, 0, p.K()).(*mat.Dense).Mul(centred, p.components)
	})
	return out, err
}
