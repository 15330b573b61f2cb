package data

import "fmt"

// CheckFlip returns an error for shapes of which a mirror image means nothing: rows of numbers, and
// pictures a single pixel wide or high.
func (s Shape) CheckFlip() error {
	if s.H < 2 || s.W < 2 {
		return fmt.Errorf("images of %v have no mirror images; --flip expects pictures of at "+
			"least 2 x 2 pixels", s)
	}
	return nil
}

// Flipped returns a view of the M images of ds followed by their mirror images: image M+i is image
// i with left and right exchanged, and has its label. It is an error if the shape does not pass
// CheckFlip.
//
// A mirror image is an image of its own, with particles of its own: the particles of an image stand
// for the posterior of its latent given its pixels, which is another one for its mirror image.
// Particles that served both in turn would stand for neither.
func Flipped(ds Dataset) (Dataset, error) {
	if err := ds.Shape().CheckFlip(); err != nil {
		return nil, fmt.Errorf("data: %s: %w", ds.Name(), err)
	}
	return &flipped{ds, Range(0, ds.Len())}, nil
}

type flipped struct {
	Dataset
	index []int // 0, 1, ..., M-1: Gather would have to allocate the index of a mirrored image
}

// of returns the image that image i is or mirrors.
func (f *flipped) of(i int) (image int, mirrored bool) {
	if m := len(f.index); i >= m {
		return i - m, true
	}
	return i, false
}

func (f *flipped) Len() int { return 2 * len(f.index) }

func (f *flipped) Label(i int) int {
	image, _ := f.of(i)
	return f.Dataset.Label(image)
}

func (f *flipped) Origin(i int) Origin {
	image, mirrored := f.of(i)
	o := f.Dataset.Origin(image)
	o.Flipped = o.Flipped != mirrored
	return o
}

func (f *flipped) Gather(dst []float32, idx []int) {
	s := f.Shape()
	d := s.Dim()
	checkGather(dst, idx, d)
	for i, j := range idx {
		image, mirrored := f.of(j)
		row := dst[i*d : (i+1)*d]
		f.Dataset.Gather(row, f.index[image:image+1])
		if mirrored {
			mirror(row, s)
		}
	}
}

// mirror exchanges left and right of an image in place.
func mirror[T any](x []T, s Shape) {
	for line := range s.H {
		row := x[line*s.W*s.C : (line+1)*s.W*s.C]
		for l, r := 0, (s.W-1)*s.C; l < r; l, r = l+s.C, r-s.C {
			for c := range s.C {
				row[l+c], row[r+c] = row[r+c], row[l+c]
			}
		}
	}
}
