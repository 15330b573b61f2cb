package method

import (
	"cmp"
	"context"
	"fmt"

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

// start moves a cloud from N(0, I) to where cloud_init says.
func (s *Setup) start(c *particle.Cloud) error {
	if s.Options.CloudInit != config.FromComponents {
		return nil
	}
	ctx := cmp.Or(s.Ctx, context.Background())
	from, err := s.components(ctx, s.Train.Len())
	if unread := data.Err(s.Train); unread != nil {
		return unread
	}
	if err != nil {
		return fmt.Errorf("cloud_init = %s: %w (or --cloud-init %s)", config.FromComponents, err,
			config.FromNormal)
	}
	last := c.First + c.M
	for lo := c.First; lo < last && err == nil; lo += startBlock {
		err = s.place(ctx, c, from, lo, min(last, lo+startBlock))
	}
	if err == nil && s.Placed != nil {
		s.Placed(from)
	}
	return cmp.Or(data.Err(s.Train), err)
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

// place moves the particles of datapoints lo to hi.
func (s *Setup) place(
	ctx context.Context, c *particle.Cloud, from *Components, lo, hi int,
) error {
	f, err := from.pca.Features(ctx, from.patches(s.Train, nil, data.Range(lo, hi)), s.Pool)
	if err != nil {
		return err
	}
	c.Update(lo, hi, func(z []float32, m int) { from.move(z, f, m-lo) })
	return c.Err()
}

// patches is the patches of pictures that the pixels of latents of shape z stand for, in the order
// of the pixels: with vectors, the pictures.
type patches struct {
	rows    data.Rows
	index   []int // of the pictures among the rows
	picture data.Shape
	z       layer.Shape

	// What is missing has the value of mean, D/pixels, in its place; nil: what rows has there.
	missing *data.Missing
	mean    []float64
}

func (p *patches) dim() int { return p.picture.Dim() / p.z.Pixels() }

// Len implements data.Rows.
func (p *patches) Len() int { return len(p.index) * p.z.Pixels() }

// Gather implements data.Rows. Patches of the same picture that follow each other are cut from it
// at once.
func (p *patches) Gather(dst []float32, idx []int) {
	picture, last := make([]float32, p.picture.Dim()), -1
	missing, gone := []bool(nil), make([]bool, p.dim())
	for _, i := range idx {
		if at := p.index[i/p.z.Pixels()]; at != last {
			p.rows.Gather(picture, []int{at})
			if last = at; p.missing != nil {
				missing = p.missing.Row(at)
			}
		}
		n := cutPatch(p, dst, picture, i%p.z.Pixels())
		if missing != nil {
			cutPatch(p, gone, missing, i%p.z.Pixels())
			for j, holed := range gone {
				if holed {
					dst[j] = float32(p.mean[j])
				}
			}
		}
		dst = dst[n:]
	}
}

// cutPatch copies a picture's patch number k to dst, and returns its length.
func cutPatch[T any](p *patches, dst, picture []T, k int) int {
	h, run := p.picture.H/p.z.H, p.picture.W/p.z.W*p.picture.C
	for y := range h {
		row := (k/p.z.W*h + y) * p.picture.W * p.picture.C
		copy(dst[y*run:(y+1)*run], picture[row+k%p.z.W*run:])
	}
	return h * run
}
