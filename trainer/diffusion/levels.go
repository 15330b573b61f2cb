package diffusion

// LevelBins is the number of equal parts of the range of lambda in Levels.
const LevelBins = 8

// Levels are sums over rows and their draws by lambda, each in one of LevelBins equal parts of the
// range from lambda_min to lambda_max, by the weights of the draws.
type Levels struct {
	Draws [LevelBins]float64
	// Loss is the part of the bound that depends on the level, span/2 |e|^2, in nats. The mean over
	// the parts of Loss / Draws is the integral in the bound.
	Loss [LevelBins]float64
	// Unlearned is the mean over eps of Loss with r = 0, which is the score of N(0, I):
	// span/2 alpha^2 (sigma^2 |z|^2 + alpha^2 d).
	Unlearned [LevelBins]float64
}

// All are the sums of each kind, by level.
func (l *Levels) All() [3][]float64 { return [...][]float64{l.Draws[:], l.Loss[:], l.Unlearned[:]} }

// Add adds m to l.
func (l *Levels) Add(m Levels) {
	for b := range LevelBins {
		l.Draws[b] += m.Draws[b]
		l.Loss[b] += m.Loss[b]
		l.Unlearned[b] += m.Unlearned[b]
	}
}

// Levels are the sums over rows lo to hi of the batch, which have been evaluated with their losses,
// added in the order of the rows.
func (t *BoundTape) Levels(lo, hi int) (l Levels) {
	half, d := t.Span()/2, float64(t.d)
	for i := lo * t.Draws; i < hi*t.Draws; i++ {
		at := (float64(t.lambda[i]) - t.Min) / t.Span()
		b := max(0, min(int(LevelBins*at), LevelBins-1))
		alpha, sigma := float64(t.alpha[i]), float64(t.sigma[i])
		a2, z2, weight := alpha*alpha, float64(t.norm[i/t.Draws]), float64(t.weight[i])
		l.Draws[b] += weight
		l.Loss[b] += float64(weight * half * float64(t.sq[i]))
		l.Unlearned[b] += float64(weight * half * a2 * (float64(sigma*sigma*z2) + float64(a2*d)))
	}
	return l
}
