package diffusion

// steady subtracts from |e|^2 of each draw what |e|^2 would be for r = 0, and adds the mean of that
// over eps:
//
//	e0 = alpha (sigma z - alpha eps)
//	|e0|^2 - E |e0|^2 = alpha^4 (|eps|^2 - d) - 2 sigma alpha^3 z.eps
//
// This keeps the mean of the loss and removes most of its noise: near the clean end no network can
// predict eps, so that e is about -eps there, whatever the prior. first is the index of the first
// draw; z and eps have one row per draw.
func (t *BoundTape) steady(sq, z, eps []float32, first int) {
	d := t.d
	for i := range sq {
		a, s := float64(t.alpha[first+i]), float64(t.sigma[first+i])
		square, product := 0.0, 0.0
		for k, e := range eps[i*d : (i+1)*d] {
			square += float64(e) * float64(e)
			product += float64(e) * float64(z[i*d+k])
		}
		sq[i] -= float32(a * a * a * (a*(square-float64(d)) - 2*s*product))
	}
}
