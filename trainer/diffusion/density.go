package diffusion

import "slices"

// Density names the density from which the noise levels of the bound are drawn. The weights of the
// draws keep the means of loss and gradients.
type Density string

// The densities; the zero Density is Uniform.
const (
	Uniform Density = "uniform"
	// Sech draws most levels where the particles' drift has its weight, alpha sigma, which is
	// proportional to sech(lambda/2), as is the weight Simple.
	Sech Density = "sech"
)

// Densities lists all densities.
var Densities = []Density{Uniform, Sech}

// sechShare is the share of the levels that Sech draws by sech(lambda/2). The others are uniform,
// so that no draw weighs more than five.
const sechShare = 0.8

// levelCells is the number of cells of equal width in which the density is constant.
const levelCells = 1024

// cumulative is the share of the levels below the end of each cell of the range, from 0 on; nil for
// Uniform.
func (d Density) cumulative(p Process) []float64 {
	if d != Sech {
		return nil
	}
	shares := make([]float64, levelCells+1)
	for i := range levelCells {
		lambda := p.Min + float64(p.Span()*(float64(i)+0.5)/levelCells)
		by := float64(sechShare * Simple.at(lambda, p))
		shares[i+1] = shares[i] + (1 - sechShare) + by
	}
	for i := range shares {
		shares[i] /= shares[levelCells]
	}
	return shares
}

// draw is the level below which the share u/n of all levels are, and the weight of its draw: the
// uniform density over that of the level.
func (t *BoundTape) draw(u, n float64) (lambda, weight float64) {
	if t.shares == nil {
		return t.Min + t.Span()*u/n, 1
	}
	share := u / n
	end, _ := slices.BinarySearch(t.shares, share)
	end = max(1, min(end, levelCells))
	below, mass := t.shares[end-1], t.shares[end]-t.shares[end-1]
	cell := float64(end-1) + (share-below)/mass
	return t.Min + float64(t.Span()*cell/levelCells), 1 / (levelCells * mass)
}
