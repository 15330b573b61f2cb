package method

import (
	"context"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/pool"
)

// Components is where particles start with cloud_init = pca: each at the coordinates of its image
// in the leading principal components of the training images, each scaled to unit variance, times
// sqrt(1 - 0.1^2), plus 0.1 N(0, I). The channels of a pixel of spatial latents are the components
// of the patches that the pixel stands for. Dimensions beyond the components keep N(0, I), as do
// those beyond the rank of the images.
type Components struct {
	pca     *pca.PCA
	factor  []float64 // by which coordinates are scaled, of the components that are not negligible
	picture data.Shape
	z       layer.Shape
}

// components fits the components to the images of m datapoints.
func (s *Setup) components(ctx context.Context, m int) (*Components, error) {
	c := &Components{picture: s.Train.Shape(), z: latentShape(s.Options)}
	fitted := c.patches(s.Train, nil, evenly(m, startImages))
	p, err := pca.Fit(ctx, fitted, fitted.dim(), c.z.C, pca.Options{Pool: s.Pool})
	if err != nil {
		return nil, err
	}
	c.pca = p
	f, err := c.pca.Features(ctx, fitted, s.Pool)
	if err != nil {
		return nil, err
	}
	c.factor = whitening(f)
	return c, nil
}

// whitening is what makes each coordinate one of variance 1 - startNoise^2. It ends with the last
// component that is not negligible.
func whitening(f *metric.Features) (factor []float64) {
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
	return factor
}

// patches is the patches of some of the rows. What is missing of them (nil: nothing) is filled by
// the mean of the training images.
func (c *Components) patches(rows data.Rows, missing *data.Missing, index []int) *patches {
	p := &patches{rows: rows, index: index, picture: c.picture, z: c.z}
	if missing != nil {
		p.missing, p.mean = missing, c.pca.Parts().Mean
	}
	return p
}

// move moves a particle z of image i of the features from N(0, I) to its start.
func (c *Components) move(z []float32, f *metric.Features, i int) {
	pixels := c.z.Pixels()
	for k := range pixels {
		row := f.Row(i*pixels + k)
		for j, by := range c.factor {
			at := &z[k*c.z.C+j]
			*at = float32(float64(row[j])*by + startNoise*float64(*at))
		}
	}
}

// Place moves particles z of the rows of index, N x d for each, from N(0, I) to where they would
// have started in training. Values that are missing (nil: none) count as the mean of the training
// images. It ends with ctx's error soon after ctx ends; values that are not finite are errors.
func (c *Components) Place(
	ctx context.Context, z []float32, rows data.Rows, missing *data.Missing, index []int,
	workers *pool.Pool,
) error {
	f, err := c.pca.Features(ctx, c.patches(rows, missing, index), workers)
	if err != nil {
		return err
	}
	d := c.z.Pixels() * c.z.C
	each := len(z) / d / len(index)
	for k := range len(index) * each {
		c.move(z[k*d:(k+1)*d], f, k/each)
	}
	return nil
}

// PlaceBytes is the memory that Place needs for n rows.
func (c *Components) PlaceBytes(n int) int64 {
	p := c.pca.Parts()
	return pca.FeatureBytes(n*c.z.Pixels(), len(p.Mean), len(p.Variances))
}

// The names of Components.Tensors.
const (
	componentsMean      = "start.mean"
	componentsVectors   = "start.components"
	componentsVariances = "start.variances"
	componentsFactor    = "start.factor"
	componentsBounded   = "start.bounded"
)

// Tensors returns what Place needs to know, to be stored: the mean of patches (D/pixels), their
// components in columns (D/pixels x K) with their variances (K), the factors (K or fewer), and 1 if
// values are cut off at -1 and 1.
func (c *Components) Tensors() []checkpoint.Tensor {
	p := c.pca.Parts()
	bounded := []uint32{0}
	if p.Bounded {
		bounded[0] = 1
	}
	dim, k := len(p.Mean), len(p.Variances)
	return []checkpoint.Tensor{
		{Name: componentsMean, Shape: []int{dim}, F64: p.Mean},
		{Name: componentsVectors, Shape: []int{dim, k}, F64: p.Components},
		{Name: componentsVariances, Shape: []int{k}, F64: p.Variances},
		{Name: componentsFactor, Shape: []int{len(c.factor)}, F64: c.factor},
		{Name: componentsBounded, Shape: []int{1}, U32: bounded},
	}
}

// Tensors is a file of tensors, such as checkpoint.File.
type Tensors interface {
	Entries() []checkpoint.Entry
	Read(into []checkpoint.Tensor) error
}

// ReadComponents reads what Components.Tensors returned of a model with the options, which are
// resolved, of pictures of the given shape. Other tensors are an error.
func ReadComponents(
	f Tensors, o config.Options, picture data.Shape,
) (*Components, error) {
	c := &Components{picture: picture, z: latentShape(o)}
	length := map[string]int{}
	for _, e := range f.Entries() {
		if len(e.Shape) == 1 {
			length[e.Name] = int(e.Shape[0])
		}
	}
	dim, k, scaled := c.patches(nil, nil, nil).dim(), length[componentsVariances],
		length[componentsFactor]
	if k < 1 || k > c.z.C || scaled < 1 || scaled > k {
		return nil, fmt.Errorf("a start at %d components, %d of them scaled: expected 1 to %d", k,
			scaled, c.z.C)
	}
	p := pca.Parts{
		Mean: make([]float64, dim), Components: make([]float64, dim*k),
		Variances: make([]float64, k),
	}
	c.pca, c.factor = pca.Of(p), make([]float64, scaled)
	tensors := c.Tensors() // live, but for the last
	if err := f.Read(tensors); err != nil {
		return nil, err
	}
	p.Bounded = tensors[len(tensors)-1].U32[0] != 0
	c.pca = pca.Of(p)
	return c, nil
}
