package diffusion

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

var (
	lambdaKey = kernel.Key{Seed: 3, Step: 5, Stream: StreamLambda}
	noiseKey  = kernel.Key{Seed: 3, Step: 5, Stream: StreamScoreNoise}
	point     = [testD]float64{1.5, -0.5, 0.75}
)

// repeated is n rows of z.
func repeated(z [testD]float64, n int) []float32 {
	rows := make([]float32, n*testD)
	for i := range rows {
		rows[i] = float32(z[i%testD])
	}
	return rows
}

// scattered is n rows of standard normals, times 2.
func scattered(n int) []float32 {
	rows := make([]float32, n*testD)
	kernel.Normal(rows, kernel.Key{Seed: 77, Stream: 1 << 16}, 0)
	for i := range rows {
		rows[i] *= 2
	}
	return rows
}

// evaluate returns the drift and the loss of all rows.
func evaluate(b Bound, score *gaussian, z []float32) (g, loss []float32) {
	n := len(z) / testD
	tape := b.NewTape(nil, score.tape(n*b.Draws), n)
	g, loss = make([]float32, len(z)), make([]float32, n)
	tape.Begin(n, lambdaKey, noiseKey)
	tape.Evaluate(Rows{Hi: n, Z: z, IDs: addresses(n), G: g, Loss: loss, Train: true})
	return g, loss
}

func TestProcess(t *testing.T) {
	for _, l := range []float64{-30, -10, -1, 0, 0.5, 10, 30} {
		a2, s2 := math.Pow(Alpha(l), 2), math.Pow(Sigma(l), 2)
		if beyond(a2+s2-1, 1e-15) || beyond(math.Log(a2/s2)-l, 1e-12*max(1, math.Abs(l))) {
			t.Errorf("lambda %v: alpha^2 = %v, sigma^2 = %v", l, a2, s2)
		}
	}
	if s := (Process{Min: -3, Max: 8}).Span(); s != 11 {
		t.Errorf("span %v", s)
	}
}

// TestWeight: ELBO is 1; Simple has mean 1 over the range (Simpson's rule, error below 1e-10)
// and the shape of sech(lambda/2).
func TestWeight(t *testing.T) {
	for _, p := range []Process{testProcess, {Min: -4, Max: 9}} {
		const n = 2000
		var mean float64
		for k := range n + 1 {
			l := p.Min + p.Span()*float64(k)/n
			w := float64(2 + 2*(k%2))
			if k == 0 || k == n {
				w = 1
			}
			mean += w / (3 * n) * Simple.at(l, p)
			if ELBO.at(l, p) != 1 {
				t.Errorf("ELBO weighs %v at %v", ELBO.at(l, p), l)
			}
			if r := Simple.at(l, p) * math.Cosh(l/2) / Simple.at(0, p); beyond(r-1, 1e-12) {
				t.Errorf("weight at %v is %v times sech(lambda/2)", l, r)
			}
		}
		if beyond(mean-1, 1e-9) {
			t.Errorf("%+v: mean weight %v", p, mean)
		}
	}
}

// TestLevels: every stratum is visited once, at one common offset, in an order that the step
// decides.
func TestLevels(t *testing.T) {
	for _, n := range []int{1, 7, 500} {
		for _, draws := range []int{1, 3} {
			b := Bound{Process: testProcess, Draws: draws}
			tape := b.NewTape(nil, standard(n*draws).tape(n*draws), n)
			var last []float32
			for step := range uint32(4) {
				key := lambdaKey
				key.Step = step
				tape.Begin(n, key, noiseKey)
				total := n * draws
				want := oracleLevels(testProcess, total, key)
				levels := slices.Clone(tape.lambda[:total])
				for i, l := range levels {
					if beyond(float64(l)-want[i], 1e-6) { // half an ulp of 10
						t.Fatalf("step %d, row %d of %d: lambda %v, want %v", step, i, total, l,
							want[i])
					}
				}
				if total > 3 && slices.Equal(levels, last) {
					t.Errorf("steps %d and %d have the same levels", step-1, step)
				}
				last = slices.Clone(levels)
				slices.Sort(levels)
				width := testProcess.Span() / float64(total)
				for k, l := range levels {
					lo := testProcess.Min + float64(k)*width
					if float64(l) < lo-1e-6 || float64(l) > lo+width+1e-6 {
						t.Fatalf("step %d: stratum %d of %d from %v on holds %v", step, k, total,
							lo, l)
					}
				}
			}
		}
	}
}

// TestLoss compares the loss of every row with its own levels and noise in float64. The largest
// terms are a few hundred nats, in float32: 1e-4.
func TestLoss(t *testing.T) {
	const n = 300
	scores := map[string]func(int) *gaussian{"r=0": standard, "gaussian": correlated}
	for name, score := range scores {
		for _, draws := range []int{1, 3} {
			for _, weight := range []Weight{ELBO, Simple} {
				z := scattered(n)
				b := Bound{Process: testProcess, Draws: draws, Weight: weight}
				g := score(n * draws)
				_, loss := evaluate(b, g, z)
				for i, want := range oracleLoss(g, z, draws) {
					if beyond(float64(loss[i])-want, 1e-4*max(1, math.Abs(want)/100)) {
						t.Fatalf("%s, %d draws, weight %s, row %d: %v nats, want %v", name, draws,
							weight, i, loss[i], want)
					}
				}
			}
		}
	}
}

// TestLevelSums compares the sums by level with the draws' own levels, losses and noise in float64,
// and the mean over the levels with the losses of the rows. Without a learned score, the loss has
// the mean that is expected of it, within five standard errors.
func TestLevelSums(t *testing.T) {
	const n = 300
	for _, draws := range []int{1, 3} {
		z, g := scattered(n), correlated(n*draws)
		b := Bound{Process: testProcess, Draws: draws}
		tape := b.NewTape(nil, g.tape(n*draws), n)
		tape.Begin(n, lambdaKey, noiseKey)
		tape.Evaluate(Rows{Hi: n, Z: z, IDs: addresses(n), Loss: make([]float32, n)})
		got := tape.Levels(0, n)
		var want Levels
		eps := noiseOf(n, draws)
		for i, lambda := range oracleLevels(testProcess, n*draws, lambdaKey) {
			part := int((lambda - testProcess.Min) / testProcess.Span() * LevelBins)
			row, square := row64(z, i/draws), 0.0
			value, _ := g.residual(row, row64(eps, i), lambda, testProcess)
			for _, v := range row {
				square += v * v
			}
			a2 := 1 / (1 + math.Exp(-lambda))
			want.Draws[part]++
			want.Loss[part] += value
			want.Unlearned[part] += testProcess.Span() / 2 * a2 * ((1-a2)*square + a2*testD)
		}
		if got.Draws != want.Draws {
			t.Fatalf("%d draws: %v in the parts, want %v", draws, got.Draws, want.Draws)
		}
		for part := range LevelBins {
			l, w := got.Loss[part]-want.Loss[part], got.Unlearned[part]-want.Unlearned[part]
			if beyond(l, 1e-5*want.Loss[part]) || beyond(w, 1e-5*want.Unlearned[part]) {
				t.Errorf("%d draws, part %d: %v and %v, want %v and %v", draws, part,
					got.Loss[part], got.Unlearned[part], want.Loss[part], want.Unlearned[part])
			}
		}
	}
}

// TestUnlearnedLevels: without a learned score, the mean loss of a part is what is expected of it.
// The square of d normals has a standard deviation of at most sqrt(2) of its mean.
func TestUnlearnedLevels(t *testing.T) {
	const n = 20000
	tape := Bound{Process: testProcess, Draws: 1}.NewTape(nil, zeroScore(n).tape(n), n)
	tape.Begin(n, lambdaKey, noiseKey)
	tape.Evaluate(Rows{Hi: n, Z: scattered(n), IDs: addresses(n), Loss: make([]float32, n)})
	l := tape.Levels(0, n)
	for part, draws := range l.Draws {
		if ratio := l.Loss[part] / l.Unlearned[part]; beyond(ratio-1, 5*math.Sqrt(2/draws)) {
			t.Errorf("part %d: %v times what is expected", part, ratio)
		}
	}
}

// TestBoundIsNegLogDensity: with the exact score, the mean of the bound over noise and levels is
// -log N(z; m, S), for r = 0 as for a correlated Gaussian, up to the cut-offs, which are of order
// sigma_max^2 = alpha_min^2 = 5e-5 per dimension. The plain mean of 65,536 draws has a standard
// error near 0.1 nats; subtracting from each draw the part whose mean over eps is known to be zero
// leaves almost none.
func TestBoundIsNegLogDensity(t *testing.T) {
	const n = 1 << 16
	for name, score := range map[string]*gaussian{"r=0": standard(n), "gaussian": correlated(n)} {
		for _, z := range [][testD]float64{point, {0, 0, 0}, {-2, 1, 1}} {
			_, loss := evaluate(Bound{Process: testProcess, Draws: 1}, score, repeated(z, n))
			levels, eps := oracleLevels(testProcess, n, lambdaKey), noiseOf(n, 1)
			raw, quiet := make([]float64, n), 0.0
			for i, l := range loss {
				raw[i] = float64(l)
				_, noise := score.residual(z, row64(eps, i), levels[i], testProcess)
				quiet += (float64(l) - noise) / n
			}
			want := score.negLog(z)
			mean, se := meanError(raw)
			t.Logf("%s at %v: %.5f, want %.5f; plain mean %.3f +- %.3f", name, z, quiet,
				want, mean, se)
			if beyond(quiet-want, 1e-3*testD) {
				t.Errorf("%s at %v: bound %v nats, want %v within 1e-3 d", name, z, quiet, want)
			}
			if beyond(mean-want, 5*se+1e-3*testD) || se > 0.2 {
				t.Errorf("%s at %v: mean %v nats, standard error %v, want %v", name, z,
					mean, se, want)
			}
		}
	}
}

// TestNegLogNormal compares with the density; |z|^2/2 is rounded at about 10.
func TestNegLogNormal(t *testing.T) {
	const n = 20
	z, loss := scattered(n), make([]float32, n)
	NegLogNormal(loss, z, testD)
	for i, l := range loss {
		if want := standard(0).negLog(row64(z, i)); beyond(float64(l)-want, 1e-5) {
			t.Errorf("row %d: %v, want %v", i, l, want)
		}
	}
}

// TestThetaGradient: the gradient by r that the score network gets is span w e, of every draw.
func TestThetaGradient(t *testing.T) {
	const n, draws = 100, 2
	z := scattered(n)
	levels, eps := oracleLevels(testProcess, n*draws, lambdaKey), noiseOf(n, draws)
	for _, b := range []Bound{
		{}, {Weight: Simple}, {ControlVariate: true}, {ScoreDrift: true, Weight: Simple},
	} {
		b.Process, b.Draws = testProcess, draws
		score := correlated(n * draws)
		evaluate(b, score, z)
		for i := range n * draws {
			a, s := Alpha(levels[i]), Sigma(levels[i])
			zl, e := row64(z, i/draws), row64(eps, i)
			for j := range zl {
				zl[j] = a*zl[j] + s*e[j]
			}
			for j, p := range score.eps(zl, levels[i]) {
				want := testProcess.Span() * b.Weight.at(levels[i], testProcess) * (p - e[j])
				if got := float64(score.dout[i*testD+j]); beyond(got-want, 2e-4) {
					t.Fatalf("%+v: draw %d, axis %d: %v, want %v", b, i, j, got, want)
				}
			}
		}
	}
}

// TestDraws: the drift of a row with several draws is the mean of the drifts of that many rows with
// one draw each and noise of their own, bit for bit.
func TestDraws(t *testing.T) {
	const n, draws = 50, 3
	z := scattered(n)
	for _, cv := range []bool{false, true} {
		b := Bound{Process: testProcess, Draws: draws, ControlVariate: cv}
		got, _ := evaluate(b, correlated(n*draws), z)

		var many []float32
		var ids []uint64
		for i, id := range addresses(n) {
			for j := range uint64(draws) {
				many = append(many, z[i*testD:(i+1)*testD]...)
				ids = append(ids, id*draws+j)
			}
		}
		b.Draws = 1
		tape := b.NewTape(nil, correlated(n*draws).tape(n*draws), n*draws)
		g, want := make([]float32, len(many)), make([]float32, len(z))
		tape.Begin(n*draws, lambdaKey, noiseKey)
		tape.Evaluate(Rows{
			Hi: n * draws, Z: many, IDs: ids, G: g, Loss: make([]float32, n*draws), Train: true,
		})
		kernel.MeanRows(want, g, draws, testD)
		if !slices.Equal(got, want) {
			t.Errorf("control variate %v: the drift is not the mean over the draws", cv)
		}
		eps := noiseOf(n, draws)
		for i := 1; i < n*draws; i++ {
			if row64(eps, i) == row64(eps, i-1) {
				t.Errorf("draws %d and %d have the same noise", i-1, i)
			}
		}
	}
}

// TestRowsInPieces: the results do not depend on how a batch is cut into tiles, in any bit.
func TestRowsInPieces(t *testing.T) {
	const n = 101
	z, ids := scattered(n), addresses(n)
	for _, b := range []Bound{
		{Draws: 1},
		{Draws: 1, ControlVariate: true},
		{Draws: 3, Weight: Simple},
		{Draws: 3, ScoreDrift: true},
	} {
		b.Process = testProcess
		wholeScore, score := correlated(n*b.Draws), correlated(n*b.Draws)
		g, loss := evaluate(b, wholeScore, z)
		tape := b.NewTape(nil, score.tape(n*b.Draws), n)
		g2, loss2 := make([]float32, n*testD), make([]float32, n)
		tape.Begin(n, lambdaKey, noiseKey)
		for _, cut := range [][2]int{{40, 41}, {0, 40}, {64, n}, {41, 64}} {
			lo, hi := cut[0], cut[1]
			rows := func(x []float32) []float32 { return x[lo*testD : hi*testD] }
			tape.Evaluate(Rows{
				Lo: lo, Hi: hi, Z: rows(z), IDs: ids[lo:hi], G: rows(g2), Loss: loss2[lo:hi],
				Train: true,
			})
		}
		if !slices.Equal(g, g2) || !slices.Equal(loss, loss2) ||
			!slices.Equal(wholeScore.dout, score.dout) {
			t.Errorf("%+v: pieces differ from the whole", b)
		}
	}
}

// TestBoundAllocations: evaluating a batch allocates nothing.
func TestBoundAllocations(t *testing.T) {
	const n = 20
	z, ids := scattered(n), addresses(n)
	g, loss := make([]float32, len(z)), make([]float32, n)
	for _, draws := range []int{1, 3} {
		b := Bound{Process: testProcess, Draws: draws}
		tape := b.NewTape(nil, correlated(n*draws).tape(n*draws), n)
		if a := testing.AllocsPerRun(10, func() {
			tape.Begin(n, lambdaKey, noiseKey)
			tape.Evaluate(Rows{Hi: n, Z: z, IDs: ids, G: g, Loss: loss, Train: true})
		}); a != 0 {
			t.Errorf("%d draws: %v allocations", draws, a)
		}
	}
}

// TestLossAlone: without a drift to write, the loss has the bits of a full evaluation, also where
// the drift needs no bound, and there is no backward pass.
func TestLossAlone(t *testing.T) {
	const n = 50
	z, ids := scattered(n), addresses(n)
	for _, b := range []Bound{
		{Draws: 1},
		{Draws: 3, Weight: Simple},
		{Draws: 2, ControlVariate: true},
		{Draws: 2, ScoreDrift: true},
	} {
		b.Process = testProcess
		_, want := evaluate(b, correlated(n*b.Draws), z)
		score, loss := correlated(n*b.Draws), make([]float32, n)
		tape := b.NewTape(nil, score.tape(n*b.Draws), n)
		tape.Begin(n, lambdaKey, noiseKey)
		tape.Evaluate(Rows{Hi: n, Z: z, IDs: ids, Loss: loss})
		if !slices.Equal(loss, want) {
			t.Errorf("%+v: the loss alone differs", b)
		}
		if score.backward != 0 {
			t.Errorf("%+v: %d backward passes", b, score.backward)
		}
	}
}

// The levels of a lane are stratified over its own rows and draws, with noise of its own.
func TestLevelsOfLanes(t *testing.T) {
	const draws, rows = 2, 9
	b := Bound{Process: testProcess, Draws: draws}
	tape := &BoundTape{Bound: b, perm: make([]int, rows*draws)}
	for _, x := range []*[]float32{
		&tape.lambda, &tape.alpha, &tape.sigma, &tape.toZ, &tape.direct, &tape.toR,
		&tape.weight,
	} {
		*x = make([]float32, rows*draws)
	}
	tape.Begin(rows, lambdaKey, noiseKey, Lane{4, 2}, Lane{5, 2}, Lane{6, 6}, Lane{7, 9})
	lo := 0
	for i, hi := range []int{4, 4, 12, 18} {
		lane := 4 + i
		perm, u := make([]int, hi-lo), make([]float32, 1)
		kernel.PermAt(perm, lambdaKey, uint64(lane)<<33)
		kernel.Uniform(u, lambdaKey, uint64(lane)<<33+1<<32)
		for i, p := range perm {
			n := float64(hi - lo)
			want := float32(testProcess.Min + testProcess.Span()*(float64(p)+float64(u[0]))/n)
			if got := tape.lambda[lo+i]; got != want {
				t.Errorf("lane %d, row %d: level %v, expected %v", lane, i, got, want)
			}
		}
		lo = hi
	}
	whole := oracleLevels(testProcess, rows*draws, lambdaKey)
	tape.Begin(rows, lambdaKey, noiseKey, Lane{0, rows})
	for i, want := range whole {
		if tape.lambda[i] != float32(want) {
			t.Errorf("one lane, row %d: level %v, expected %v", i, tape.lambda[i], want)
		}
	}
}
