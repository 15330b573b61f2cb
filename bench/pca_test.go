//go:build unix

package bench

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/pool"
)

// textures are pictures of side x side pixels and three channels. They are octaves of smooth
// noise, each with 0.8 times the amplitude of the next coarser one, so that the variances of the
// components fall with about the power 1.3 of their number, like those of natural images. The
// channels share most of it.
type textures struct {
	side   int
	pixels []uint8
}

func newTextures(n, side int, p *pool.Pool) *textures {
	t := &textures{side, make([]uint8, n*3*side*side)}
	p.Run(pool.Group{N: n, Do: t.draw})
	return t
}

func (t *textures) dim() int { return 3 * t.side * t.side }

func (t *textures) Len() int { return len(t.pixels) / t.dim() }

func (t *textures) Gather(dst []float32, idx []int) {
	d := t.dim()
	for i, k := range idx {
		kernel.U8ToF32(dst[i*d:(i+1)*d], t.pixels[k*d:(k+1)*d])
	}
}

// draw draws picture i.
func (t *textures) draw(i int) {
	sum := make([]float32, t.dim())
	amplitude, step := float32(0.3), uint32(0)
	for grid := 2; grid <= t.side; grid *= 2 {
		points := make([]float32, 4*(grid+1)*(grid+1)) // a layer for all channels, and one for each
		kernel.Normal(
			points, kernel.Key{Seed: 1, Step: step, Stream: metric.StreamMetric}, uint64(i)<<20,
		)
		for j := range sum {
			shared, own := t.at(points, grid, 0, j/3), t.at(points, grid, 1+j%3, j/3)
			sum[j] += amplitude * (shared + 0.3*own)
		}
		amplitude, step = 0.8*amplitude, step+1
	}
	kernel.F32ToU8(t.pixels[i*len(sum):(i+1)*len(sum)], sum)
}

// at interpolates a layer of the grid bilinearly at a pixel.
func (t *textures) at(points []float32, grid, layer, pixel int) float32 {
	points = points[layer*(grid+1)*(grid+1):]
	x, y := float32(pixel%t.side*grid)/float32(t.side), float32(pixel/t.side*grid)/float32(t.side)
	i, j := int(x), int(y)
	x, y = x-float32(i), y-float32(j)
	row := func(j int) float32 {
		return (1-x)*points[j*(grid+1)+i] + x*points[j*(grid+1)+i+1]
	}
	return (1-y)*row(j) + y*row(j+1)
}

// BenchmarkPCA computes the 64 leading principal components of pictures, and the distance of 2,000
// pictures.
func BenchmarkPCA(b *testing.B) {
	workers := pool.DefaultWorkers()
	p := pool.New(workers)
	defer p.Close()
	for _, s := range []struct{ n, side int }{{10000, 32}, {10000, 64}, {500, 256}} {
		b.Run(fmt.Sprintf("n=%d/side=%d/threads=%d", s.n, s.side, workers), func(b *testing.B) {
			t := newTextures(s.n, s.side, p)
			passes, fitted := 0, (*pca.PCA)(nil)
			began := cpuSeconds(b)
			for b.Loop() {
				var err error
				how := pca.Options{Pool: p, Pass: func(n int) { passes = n }}
				if fitted, err = pca.Fit(context.Background(), t, t.dim(), 64, how); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds(b)-began)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(passes), "passes")
			b.ReportMetric(fitted.Residual(), "residual")
			b.ReportMetric(100*fitted.FractionOfVariance(), "%variance")
		})
	}
}

// cpuSeconds is the time that all threads of the process have used.
func cpuSeconds(b *testing.B) float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}
