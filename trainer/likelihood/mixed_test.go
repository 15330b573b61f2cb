package likelihood_test

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
)

// mixture is two normal columns, a Boolean one, one of three categories, and a normal one: 7
// numbers, and 3 scales.
const mixture = "normal:2,bernoulli,categorical:3,normal"

const floor = 0.1

func mixed(t testing.TB) likelihood.Likelihood {
	t.Helper()
	l, err := likelihood.New(mixture, floor, 7)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// sigma is the scale of a column whose parameter is s.
func sigma(s float64) float64 { return math.Hypot(floor, math.Exp(4*s)/10) }

// -log p of a row is that of the densities written out, without what is missing.
func TestMixedDensity(t *testing.T) {
	l := mixed(t)
	out := []float32{1, 2, -0.5, 0.25, 1, -1, 3, 0.1, -0.1, 0.02}
	x := []float32{1.5, 1, 1, 0, 1, 0, 2}
	normal := func(j int, s float64) float64 {
		v := sigma(s)
		return math.Pow(float64(x[j]-out[j])/v, 2)/2 + math.Log(v) + math.Log(2*math.Pi)/2
	}
	parts := []struct {
		first, last int
		nats        float64
	}{
		{0, 1, normal(0, 0.1)}, {1, 2, normal(1, -0.1)},
		{2, 3, math.Log(1 + math.Exp(0.5))}, // of x = 1 with logit -1/2
		{3, 6, math.Log(math.Exp(0.25)+math.Exp(1)+math.Exp(-1)) - 1},
		{6, 7, normal(6, 0.02)},
	}
	for skip := -1; skip < len(parts); skip++ {
		missing, want := make([]bool, 7), 0.0
		for i, p := range parts {
			if i != skip {
				want += p.nats
				continue
			}
			for j := p.first; j < p.last; j++ {
				missing[j] = true
			}
		}
		// Outputs are rounded to single precision: 0.1 is off by 1.5e-9, scales by 4 times that.
		if got := l.NegLog(out, x, missing); math.Abs(got-want) > 1e-6 {
			t.Errorf("without column %d: -log p = %v, expected %v", skip, got, want)
		}
	}
}

func TestMixedGradient(t *testing.T) {
	x := []float32{1, -1, 1, 0, 1, 0, 0.5, 0.25, 0, 0, 1, 0, 0, -0.5}
	gone := make([]bool, len(x))
	for _, j := range []int{0, 9, 10, 11, 12} { // of the second row all categories
		gone[j] = true
	}
	n := decoder(2, 7, 3)
	checkGradient(t, mixed(t), n, x, nil)
	checkGradient(t, mixed(t), n, x, gone)
}

// The gradients by the scales are those of central differences, summed over the rows.
func TestMixedScales(t *testing.T) {
	const rows = 2
	l, n := mixed(t), decoder(2, 7, 3)
	x := []float32{1, -1, 1, 0, 1, 0, 0.5, 0.25, 0, 0, 1, 0, 0, -0.5}
	z := []float32{0.5, -1, 2, 0.25}
	tape := pack(n.net.NewTape(nil, n.p, model.Size{Rows: rows}, model.Train))
	sums := func() (total float64) {
		for r := range rows {
			total += l.NegLog(n.decode(z[2*r:2*r+2]), x[7*r:7*r+7], nil)
		}
		return total
	}
	loss, square, g := make([]float64, rows), make([]float32, rows), make([]float32, 2*rows)
	l.Gradient(tape, likelihood.Rows{
		Hi: rows, Particles: 1, Z: z, X: x, Loss: loss, Square: square, G: g,
	})
	grad := make([]float32, len(n.p))
	tape.Reduce(wave(rows, grad))
	for i := range tape.GradTasks() {
		tape.Grad(i)
	}
	got := n.net.Layout().View(grad, "scales.bias")
	s := n.net.Layout().View(n.p, "scales.bias")
	for j := range s {
		const h = 1.0 / 512
		at := s[j]
		s[j] = at + h
		up := sums()
		s[j] = at - h
		want := (up - sums()) / (2 * h)
		s[j] = at
		if math.Abs(float64(got[j])-want) > 2e-3*(1+math.Abs(want)) {
			// Outputs rounded to single precision, 6e-8 of losses of about 20, over 2 h.
			t.Errorf("scale %d: gradient %v, expected %v", j, got[j], want)
		}
	}
}

// Draws have the means and variances that Mean and Variance tell, within five standard errors.
func TestMixedDraws(t *testing.T) {
	l := mixed(t)
	out := []float32{1, 2, -0.5, 0.25, 1, -1, 3, 0.1, -0.1, 0.02}
	const n = 40000
	mean, variance := make([]float32, 7), make([]float64, 7)
	l.Mean(mean, out)
	l.Variance(variance, out)
	if v := sigma(-0.1); math.Abs(variance[1]-v*v) > 1e-6 {
		t.Errorf("variance %v, expected %v", variance[1], v*v)
	}
	if p := math.Exp(1) / (math.Exp(0.25) + math.Exp(1) + math.Exp(-1)); math.Abs(
		float64(mean[4])-p) > 1e-7 {
		t.Errorf("probability %v, expected %v", mean[4], p)
	}
	x := make([]float32, 7)
	sum, squares := make([]float64, 7), make([]float64, 7)
	for _, row := range normals(n, 7) {
		l.Draw(x, out, row)
		if x[3]+x[4]+x[5] != 1 || x[2] != 0 && x[2] != 1 {
			t.Fatalf("drew %v", x)
		}
		for j, v := range x {
			sum[j] += float64(v)
			squares[j] += float64(v) * float64(v)
		}
	}
	for j, s := range sum {
		m, v := s/n, squares[j]/n-s*s/n/n
		if math.Abs(m-float64(mean[j])) > 5*math.Sqrt(variance[j]/n) {
			t.Errorf("number %d: mean %v, expected %v", j, m, mean[j])
		}
		if math.Abs(v-variance[j]) > 5*variance[j]*math.Sqrt(3.0/n) {
			t.Errorf("number %d: variance %v, expected %v", j, v, variance[j])
		}
	}
}

// Columns have one text, and nonsense is refused with what is wrong.
func TestColumns(t *testing.T) {
	c, err := likelihood.ParseColumns("normal:2, bernoulli,categorical:3")
	if err != nil || c.String() != "normal:2,bernoulli,categorical:3" || c.Dim() != 6 ||
		c.Normals() != 2 {
		t.Errorf("%v, %v", c, err)
	}
	for text, want := range map[string]string{
		"normals":                `did you mean "normal"`,
		"normal:0":               "from 1 to",
		"normal:x":               "from 1 to",
		"categorical":            "2 categories or more",
		"":                       "expected one of normal",
		"normal:16777216,normal": "more than 16777216 numbers",
	} {
		if _, err := likelihood.ParseColumns(text); err == nil || !contains(err, want) {
			t.Errorf("%q: %v; expected %q", text, err, want)
		}
	}
	if _, err := likelihood.New("normal:3", 1, 4); err == nil || !contains(err, "expected 4") {
		t.Errorf("3 numbers of 4: %v", err)
	}
}
