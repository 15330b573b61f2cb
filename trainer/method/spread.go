package method

import "math"

// spread is the number, mean and sum of squared deviations of vectors, for each dimension.
type spread struct {
	n            float64
	mean, square []float64
}

func newSpread(d int) spread {
	return spread{mean: make([]float64, d), square: make([]float64, d)}
}

// add adds the rows of z, by the updates of Welford (1962).
func (m *spread) add(z []float32) {
	for d := len(m.mean); len(z) > 0; z = z[d:] {
		m.n++
		for j, v := range z[:d] {
			step := float64(v) - m.mean[j]
			m.mean[j] += step / m.n
			m.square[j] += step * (float64(v) - m.mean[j])
		}
	}
}

// join adds those of other vectors (Chan, Golub and LeVeque 1983).
func (m *spread) join(other spread) {
	if other.n == 0 {
		return
	}
	n := m.n + other.n
	for j, mean := range other.mean {
		step := mean - m.mean[j]
		m.mean[j] += step * other.n / n
		m.square[j] += other.square[j] + float64(step*step)*m.n*other.n/n
	}
	m.n = n
}

// joinSpreads joins those of lanes along their tree, and returns the mean and the standard
// deviation of all. A dimension that is constant has the deviation 1, so that it is not scaled.
func joinSpreads(lanes []spread) (mean, std []float64) {
	for step := 1; step < len(lanes); step *= 2 {
		for i := 0; i+step < len(lanes); i += 2 * step {
			lanes[i].join(lanes[i+step])
		}
	}
	all := lanes[0]
	for j, square := range all.square {
		if all.square[j] = math.Sqrt(square / all.n); !(all.square[j] > 0) {
			all.square[j] = 1
		}
	}
	return all.mean, all.square
}
