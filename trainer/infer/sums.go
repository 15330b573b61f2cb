package infer

import "math"

// sums accumulates positions and losses of the particles of one image over moves.
type sums struct {
	moves             float64
	z, zz             []float64 // sums of z, and of its squares
	outer             []float64 // lower half of the sum of z z^T; nil without covariances
	square, data, nll float64
	chain             []float64 // sum of the squared errors of each particle
	squares           float64   // sum of their squares
}

func newSums(particles, d int, cov bool) *sums {
	s := &sums{
		z: make([]float64, d), zz: make([]float64, d), chain: make([]float64, particles),
	}
	if cov {
		s.outer = make([]float64, d*d)
	}
	return s
}

// add adds a state of the particles.
func (s *sums) add(at state) {
	s.moves++
	d := len(s.z)
	for i, e := range at.square {
		s.square += float64(e)
		s.squares += float64(e) * float64(e)
		s.chain[i] += float64(e)
		s.data += at.data[i]
		s.nll += float64(at.nll[i])
		row := at.z[i*d : (i+1)*d]
		for j, v := range row {
			s.z[j] += float64(v)
			s.zz[j] += float64(v) * float64(v)
		}
		if s.outer != nil {
			addOuter(s.outer, row)
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

// inferred returns the averages, whose covariances take the place of the sums.
func (s *sums) inferred() Inferred {
	n, d := s.moves*float64(len(s.chain)), len(s.z)
	r := Inferred{
		Mean: make([]float64, d), Var: make([]float64, d), SquareError: s.square / n,
		DataLoss: s.data / n, PriorLoss: s.nll / n, ESS: s.ess(),
	}
	for j := range r.Mean {
		r.Mean[j] = s.z[j] / n
		r.Var[j] = max(0, s.zz[j]/n-r.Mean[j]*r.Mean[j])
	}
	if s.outer == nil {
		return r
	}
	r.Cov = s.outer
	for j := range d {
		for k := range j + 1 {
			c := r.Cov[j*d+k]/n - r.Mean[j]*r.Mean[k]
			r.Cov[j*d+k], r.Cov[k*d+j] = c, c
		}
	}
	return r
}

// ess is Inferred.ESS of the sums so far.
func (s *sums) ess() float64 {
	chains := float64(len(s.chain))
	if chains < 2 {
		return math.NaN()
	}
	n := s.moves * chains
	mean := s.square / n
	between := 0.0
	for _, c := range s.chain {
		between += (c/s.moves - mean) * (c/s.moves - mean) / (chains - 1)
	}
	all := s.squares/n - mean*mean
	if between <= all/s.moves { // also if all are the same
		return n
	}
	return chains * all / between
}
