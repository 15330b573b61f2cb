package data

// moment is the mean of some numbers and the sum of their squared distances from it.
type moment struct {
	N       int   `json:"n"`
	Mean    exact `json:"mean"`
	Squares exact `json:"squares"`
}

// add adds other numbers (T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise
// algorithm for computing sample variances", 1979).
func (m *moment) add(o moment) {
	if o.N == 0 {
		return
	}
	n := m.N + o.N
	apart, share := o.Mean-m.Mean, exact(o.N)/exact(n)
	m.Mean += exact(apart * share)
	m.Squares += o.Squares + exact(exact(apart*apart)*exact(exact(m.N)*share))
	m.N = n
}

// addMoments adds a piece of rows of T x C numbers, from a column on, to the moments of the C
// channels. Those that are missing (nil: none) do not count.
func addMoments(channels []moment, values []float64, column int, missing []bool) {
	c := len(channels)
	for k := range channels {
		var piece moment
		first := ((k-column)%c + c) % c
		each := func(f func(v exact)) {
			for i := first; i < len(values); i += c {
				if missing == nil || !missing[i] {
					f(exact(values[i]))
				}
			}
		}
		each(func(v exact) { piece.N++; piece.Mean += v })
		if piece.N == 0 {
			continue
		}
		piece.Mean /= exact(piece.N)
		each(func(v exact) { piece.Squares += exact((v - piece.Mean) * (v - piece.Mean)) })
		channels[k].add(piece)
	}
}
