package infer

import "github.com/plume-ml/plume/trainer/likelihood"

// chainSums accumulates positions and losses of the particles that move together.
type chainSums struct {
	particles, d int
	moves        float64
	z, zz        []float64 // of each image: sums of z, and of z z^T (nil without covariances)
	square, nll  []float64
}

func newChainSums(images, particles, d int, cov bool) *chainSums {
	s := &chainSums{
		particles: particles, d: d,
		z: make([]float64, images*d), square: make([]float64, images), nll: make([]float64, images),
	}
	if cov {
		s.zz = make([]float64, images*d*d)
	}
	return s
}

// add adds the positions of image m's rows, which are among z (images*particles x d), their squared
// errors and prior losses.
func (s *chainSums) add(m int, z, square, nll []float32) {
	d := s.d
	for i := m * s.particles; i < (m+1)*s.particles; i++ {
		row := z[i*d : (i+1)*d]
		s.square[m] += float64(square[i])
		s.nll[m] += float64(nll[i])
		for j, v := range row {
			s.z[m*d+j] += float64(v)
		}
		if s.zz != nil {
			addOuter(s.zz[m*d*d:(m+1)*d*d], row)
		}
	}
}

// addOuter adds the lower half of z z^T to zz.
func addOuter(zz []float64, z []float32) {
	for j, v := range z {
		for k, w := range z[:j+1] {
			zz[j*len(z)+k] += float64(v) * float64(w)
		}
	}
}

// image returns the averages of image i, whose covariances take the place of the sums.
func (s *chainSums) image(i int, l likelihood.Gaussian) Inferred {
	n, d := s.moves*float64(s.particles), s.d
	r := Inferred{Mean: make([]float64, d), SquareError: s.square[i] / n, PriorLoss: s.nll[i] / n}
	r.DataLoss = l.NegLog(r.SquareError, 1)
	for j := range r.Mean {
		r.Mean[j] = s.z[i*d+j] / n
	}
	if s.zz == nil {
		return r
	}
	r.Cov = s.zz[i*d*d : (i+1)*d*d]
	for j := range d {
		for k := range j + 1 {
			c := r.Cov[j*d+k]/n - r.Mean[j]*r.Mean[k]
			r.Cov[j*d+k], r.Cov[k*d+j] = c, c
		}
	}
	return r
}
