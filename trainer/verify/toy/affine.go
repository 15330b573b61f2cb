package toy

import "gonum.org/v1/gonum/mat"

// law is a Gaussian law.
type law struct {
	mean *mat.VecDense
	cov  *mat.Dense
}

func newLaw(n int) law { return law{mat.NewVecDense(n, nil), mat.NewDense(n, n, nil)} }

// affine is one step of a linear model: s' = A s + b + noise of covariance Q.
type affine struct {
	a *mat.Dense
	b *mat.VecDense
	q *mat.Dense
}

// stay is the step that changes nothing, to be built on.
func stay(n int) affine {
	m := affine{mat.NewDense(n, n, nil), mat.NewVecDense(n, nil), mat.NewDense(n, n, nil)}
	for i := range n {
		m.a.Set(i, i, 1)
	}
	return m
}

// add adds v to element i, j of A.
func (m affine) add(i, j int, v float64) { m.a.Set(i, j, m.a.At(i, j)+v) }

// noise adds v to element i, j of Q.
func (m affine) noise(i, j int, v float64) {
	m.q.Set(i, j, m.q.At(i, j)+v)
	if i != j {
		m.q.Set(j, i, m.q.At(i, j))
	}
}

// apply is the law after the step.
func (m affine) apply(l law) law {
	next := newLaw(l.mean.Len())
	next.mean.MulVec(m.a, l.mean)
	next.mean.AddVec(next.mean, m.b)
	next.cov.Product(m.a, l.cov, m.a.T())
	next.cov.Add(next.cov, m.q)
	return next
}

// then returns this step followed by another.
func (m affine) then(after affine) affine {
	l := after.apply(law{m.b, m.q})
	both := affine{mat.NewDense(l.mean.Len(), l.mean.Len(), nil), l.mean, l.cov}
	both.a.Mul(after.a, m.a)
	return both
}

// stationary is the law that the step leaves unchanged; the step must contract.
func (m affine) stationary() law {
	for range 40 { // 2^40 steps
		m = m.then(m)
	}
	return law{m.b, m.q}
}

// observed sums replicates of the first numbers of a law, and their products, as deviations from
// its mean.
type observed struct {
	law
	n     int
	sum   []float64
	cross [][]float64
}

// observe returns sums for the first n numbers of a law.
func observe(l law, n int) *observed {
	o := &observed{law: l, sum: make([]float64, n)}
	for range o.sum {
		o.cross = append(o.cross, make([]float64, len(o.sum)))
	}
	return o
}

// add adds one replicate; it changes s.
func (o *observed) add(s []float64) {
	o.n++
	for i := range s {
		s[i] -= o.law.mean.AtVec(i)
		o.sum[i] += s[i]
		for j := range i + 1 {
			o.cross[i][j] += s[i] * s[j]
		}
	}
}

// merge adds the sums of other replicates of the same law.
func (o *observed) merge(other *observed) {
	o.n += other.n
	for i, v := range other.sum {
		o.sum[i] += v
		for j, c := range other.cross[i] {
			o.cross[i][j] += c
		}
	}
}

// mean is the sample mean of number i.
func (o *observed) mean(i int) float64 { return o.law.mean.AtVec(i) + o.sum[i]/float64(o.n) }

// covariance is the unbiased sample covariance of numbers i and j <= i.
func (o *observed) covariance(i, j int) float64 {
	n := float64(o.n)
	return (o.cross[i][j] - o.sum[i]*o.sum[j]/n) / (n - 1)
}
