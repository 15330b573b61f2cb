package mixture

import "math"

// grid is the density of one-dimensional particles on a regular grid, for the exact law of Langevin
// moves.
type grid struct {
	z, p []float64
	step float64
}

// gridEnd is far outside all modes: the probability beyond it is below 1e-6.
const gridEnd, gridStep = 5.5, 0.02

// standardGrid is N(0, 1).
func standardGrid() grid {
	g := grid{step: gridStep}
	for z := -gridEnd; z <= gridEnd; z += gridStep {
		g.z, g.p = append(g.z, z), append(g.p, math.Exp(-z*z/2)/math.Sqrt(2*math.Pi))
	}
	return g
}

// kernel is the transition density between the points, N(z - h drift(z), 2h).
func (g grid) kernel(h float64, drift func(z float64) float64) [][]float64 {
	rows := make([][]float64, len(g.z))
	for i, z := range g.z {
		to := z - h*drift(z)
		for _, y := range g.z {
			rows[i] = append(rows[i], math.Exp(logNormal((y-to)*(y-to), 2*h))*g.step)
		}
	}
	return rows
}

// after is the density after n moves. The rectangle rule is exact to rounding for densities that
// are smooth on the scale of the grid, as these are: the noise of a move, of standard deviation
// sqrt(2h), spans several steps of the grid.
func (g grid) after(n int, kernel [][]float64) grid {
	for range n {
		next := make([]float64, len(g.p))
		for i, p := range g.p {
			if p < 1e-14 {
				continue
			}
			for j, k := range kernel[i] {
				next[j] += p * k
			}
		}
		g.p = next
	}
	return g
}

// mean is the mean of f(z).
func (g grid) mean(f func(z float64) float64) (sum float64) {
	for i, z := range g.z {
		sum += f(z) * g.p[i] * g.step
	}
	return sum
}

// above is the probability of z > 0; the point 0 counts half.
func (g grid) above() (p float64) {
	for i, z := range g.z {
		switch {
		case math.Abs(z) < g.step/2:
			p += g.p[i] * g.step / 2
		case z > 0:
			p += g.p[i] * g.step
		}
	}
	return p
}
