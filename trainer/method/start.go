package method

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pca"
)

// startNoise is the standard deviation of the noise about a start at the components of the data.
const startNoise = 0.1

// startImages is the most images that the components are fitted to, and startBlock how many are
// projected at a time.
const startImages, startBlock = 4096, 512

// negligible is the share of the leading component's variance below which a component is rounding
// errors, as those beyond the rank of the images are.
const negligible = 1e-8

// start moves a cloud from N(0, I) to where cloud_init says: each particle to the coordinates of
// its image in the leading principal components of the images, each scaled to unit variance, times
// sqrt(1 - 0.1^2), plus 0.1 N(0, I). The channels of a pixel of spatial latents are the components
// of the patches that the pixel stands for. Dimensions beyond the components keep N(0, I), as do
// those beyond the rank of the images.
func (s *Setup) start(c *particle.Cloud) error {
	if s.Options.CloudInit != config.FromComponents {
		return nil
	}
	ctx := cmp.Or(s.Ctx, context.Background())
	all := &patches{rows: s.Train, picture: s.Train.Shape(), z: latentShape(s.Options)}
	fitted := all.of(evenly(c.M, startImages))
	p, err := pca.Fit(ctx, fitted, all.dim(), all.z.C, pca.Options{Pool: s.Pool})
	if err != nil {
		return fmt.Errorf("cloud_init = %s: %w (or --cloud-init %s)", config.FromComponents, err,
			config.FromNormal)
	}
	factor, err := s.whitening(ctx, p, fitted)
	for lo := 0; lo < c.M && err == nil; lo += startBlock {
		err = s.place(ctx, c, p, all, lo, min(c.M, lo+startBlock), factor)
	}
	return err
}

// startBytes is the memory that start needs for m datapoints.
func startBytes(o config.Options, m int, picture data.Shape) int64 {
	if o.CloudInit != config.FromComponents {
		return 0
	}
	all := &patches{picture: picture, z: latentShape(o), index: make([]int, min(m, startImages))}
	n, dim, k := all.Len(), all.dim(), all.z.C
	return pca.Bytes(dim, k) + max(pca.FitBytes(n, dim, k), pca.FeatureBytes(n, dim, k))
}

// evenly is at most n of the numbers below m, evenly spread: images often come sorted by class.
func evenly(m, n int) []int {
	n = min(m, n)
	index := make([]int, n)
	for i := range index {
		index[i] = i * m / n
	}
	return index
}

// whitening is what makes each coordinate of the rows one of variance 1 - startNoise^2. It ends
// with the last component that is not negligible.
func (s *Setup) whitening(ctx context.Context, p *pca.PCA, rows data.Rows) ([]float64, error) {
	f, err := p.Features(ctx, rows, s.Pool)
	if err != nil {
		return nil, err
	}
	var factor []float64
	var leading float64
	for j := range f.K {
		var square float64
		for i := range f.N {
			square += float64(f.Row(i)[j]) * float64(f.Row(i)[j])
		}
		leading = max(leading, square)
		if square <= negligible*leading {
			break
		}
		variance := square / float64(f.N)
		factor = append(factor, math.Sqrt((1-startNoise*startNoise)/variance))
	}
	return factor, nil
}

// place moves the particles of datapoints lo to hi.
func (s *Setup) place(
	ctx context.Context, c *particle.Cloud, p *pca.PCA, all *patches, lo, hi int, factor []float64,
) error {
	f, err := p.Features(ctx, all.of(data.Range(lo, hi)), s.Pool)
	if err != nil {
		return err
	}
	pixels := all.z.Pixels()
	c.Update(lo, hi, func(z []float32, m int) {
		for k := range pixels {
			row := f.Row((m-lo)*pixels + k)
			for j, by := range factor {
				at := &z[k*all.z.C+j]
				*at = float32(float64(row[j])*by + startNoise*float64(*at))
			}
		}
	})
	return c.Err()
}

// patches is the patches of pictures that the pixels of latents of shape z stand for, in the order
// of the pixels: with vectors, the pictures.
type patches struct {
	rows    data.Rows
	index   []int // of the pictures among the rows
	picture data.Shape
	z       layer.Shape
}

// of is the patches of other pictures.
func (p *patches) of(index []int) *patches {
	part := *p
	part.index = index
	return &part
}

func (p *patches) dim() int { return p.picture.Dim() / p.z.Pixels() }

// Len implements data.Rows.
func (p *patches) Len() int { return len(p.index) * p.z.Pixels() }

// Gather implements data.Rows. Patches of the same picture that follow each other are cut from it
// at once.
func (p *patches) Gather(dst []float32, idx []int) {
	picture, last := make([]float32, p.picture.Dim()), -1
	for _, i := range idx {
		if at := p.index[i/p.z.Pixels()]; at != last {
			p.rows.Gather(picture, []int{at})
			last = at
		}
		dst = dst[p.cut(dst, picture, i%p.z.Pixels()):]
	}
}

// cut copies a picture's patch number k to dst, and returns its length.
func (p *patches) cut(dst, picture []float32, k int) int {
	h, run := p.picture.H/p.z.H, p.picture.W/p.z.W*p.picture.C
	for y := range h {
		row := (k/p.z.W*h + y) * p.picture.W * p.picture.C
		copy(dst[y*run:(y+1)*run], picture[row+k%p.z.W*run:])
	}
	return h * run
}
