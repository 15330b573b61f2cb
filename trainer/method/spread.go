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

// pack writes the spread's 1 + 2 d numbers.
func (m *spread) pack(numbers []float64) {
	numbers[0] = m.n
	copy(numbers[1:], m.mean)
	copy(numbers[1+len(m.mean):], m.square)
}

// joinSpreads joins those of lanes, of d dimensions, along their tree. It returns the mean and the
// standard deviation of all. A dimension that is constant has the deviation 1, so that it is not
// scaled.
func joinSpreads(packed []float64, count, d int) (mean, std []float64) {
	lanes := make([]spread, count)
	for i := range lanes {
		own := packed[i*(1+2*d):][:1+2*d]
		lanes[i] = spread{own[0], own[1 : 1+d], own[1+d:]}
	}
	for step := 1; step < len(lanes); step *= 2 {
		for i := 0; i+step < len(lanes); i += 2 * step {
			lanes[i].join(lanes[i+step])
		}
	}
	all := lanes[0]
	mean, std = make([]float64, d), make([]float64, d)
	copy(mean, all.mean)
	for j, square := range all.square {
		if std[j] = math.Sqrt(square / all.n); !(std[j] > 0) {
			std[j] = 1
		}
	}
	return mean, std
}
