package verify

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/method"
)

// Prior variances of the coordinates of the diagonal models: coordinate j has variance
// spread[j mod 4], so that 32 coordinates are 8 replicates of each.
var spread = [...]float64{0.25, 1, 2, 4}

const (
	axesDim  = 32
	axesMean = 0.5 // prior mean of every coordinate
)

// spreadOver repeats values over the coordinates.
func spreadOver(values []float64) []float64 {
	x := make([]float64, axesDim)
	for j := range x {
		x[j] = values[j%len(values)]
	}
	return x
}

// axesPrior is the diffusion prior whose score is that of N(axesMean, spread), parameters fixed.
func axesPrior(b diffusion.Bound) *method.DiffusionPrior {
	law := newAxesLaw(axesDim)
	p := law.values(spreadOver([]float64{axesMean}), spreadOver(spread[:]))
	return &method.DiffusionPrior{Bound: b, Score: fixedScore{exactScore{law}, p}}
}

// drifts is what the bound's drift is at one latent, by prior variances.
type drifts struct{ mean, variance [len(spread)]sample }

// driftRows is the rows of a batch.
const driftRows = 512

// measureDrifts evaluates the bound at rows of the same latent z, batch after batch: a batch gives the mean and
// the variance over its rows, averaged over the replicates.
func (l *lab) measureDrifts(b diffusion.Bound, at float64, seed, batches int) drifts {
	const rows = driftRows
	tape := axesPrior(b).NewTape(nil, rows)
	tape.Pack(0)
	row, g, loss, ids := make([]float32, rows*axesDim), make([]float32, rows*axesDim), make([]float32, rows), make([]uint64, rows)
	for i := range row {
		row[i] = float32(at)
	}
	for i := range ids {
		ids[i] = uint64(i)
	}
	var found drifts
	for k := range batches {
		key := kernel.Key{Seed: l.seed(seed), Step: uint32(k), Stream: kernel.StreamLambda}
		noise := key
		noise.Stream = kernel.StreamScoreNoise
		tape.Begin(rows, key, noise)
		l.pool.Run(rows/64, func(i int) {
			lo, hi := 64*i, 64*(i+1)
			tape.Rows(lo, hi, row[lo*axesDim:hi*axesDim], ids[lo:hi], g[lo*axesDim:hi*axesDim], loss[lo:hi], false)
		})
		for j := range spread {
			m, v := columnMoments(g, j)
			found.mean[j] = append(found.mean[j], m)
			found.variance[j] = append(found.variance[j], v)
		}
	}
	return found
}

// columnMoments are the mean and the unbiased variance over the rows, averaged over the coordinates
// j, j + 4, ...
func columnMoments(g []float32, j int) (mean, variance float64) {
	for ; j < axesDim; j += len(spread) {
		var column sample
		for i := j; i < len(g); i += axesDim {
			column = append(column, float64(g[i]))
		}
		mean += column.mean() * float64(len(spread)) / axesDim
		variance += column.variance() * float64(len(spread)) / axesDim
	}
	return mean, variance
}

// boundOf is the bound between log-SNRs -cut and cut.
func boundOf(cut float64, controlVariate bool) diffusion.Bound {
	return diffusion.Bound{Process: diffusion.Process{Min: -cut, Max: cut}, Draws: 1, ControlVariate: controlVariate}
}

// float32Error is the rounding of a drift of size one, a few units of the last place of its terms.
const float32Error = 1e-5

// boundGradient: the mean drift is the gradient of the bound, with and without the control
// variate, and its variance is v.
func boundGradient(l *lab) error {
	const at, cut = 1.25, 10
	for k, cv := range []bool{false, true} {
		found := l.measureDrifts(boundOf(cut, cv), at, k, l.n(64, 1024))
		for j, s := range spread {
			exact := drift1{boundOf(cut, cv).Process, axesMean, s, cv}
			name := fmt.Sprintf("s = %v%s", s, mark(cv, ", control variate"))
			l.estimate("mean drift at z = 1.25, "+name, exact.mean(at), found.mean[j].mean(), found.mean[j].se(), float32Error)
			v := exact.variance(at)
			// levels of a batch are one in each stratum: its rows' variance is up to v/(rows-1) larger
			l.estimate("variance of the drift, "+name, v, found.variance[j].mean(), found.variance[j].se(), v/(driftRows-1)+float32Error)
		}
	}
	return nil
}

func mark(on bool, text string) string {
	if on {
		return text
	}
	return ""
}

// cutOffs: the distance of the drift from S^-1 (z - m), but for the share of lambda_min, falls as exp(-cut).
func cutOffs(l *lab) error {
	const at = axesMean + 1
	cuts := []float64{1, 2, 3, 4}
	var x []float64
	var measured, exact, se [len(spread)][]float64
	for k, cut := range cuts {
		b := boundOf(cut, false)
		found := l.measureDrifts(b, at, k, l.n(64, 512))
		own := math.Pow(diffusion.Alpha(-cut), 2) * at
		x = append(x, math.Exp(-cut))
		for j, s := range spread {
			law := drift1{b.Process, axesMean, s, false}
			exact[j] = append(exact[j], 1/s-(law.mean(at)-own))
			measured[j] = append(measured[j], 1/s-(found.mean[j].mean()-own))
			se[j] = append(se[j], found.mean[j].se())
		}
	}
	var lines []figure.Series
	for j, s := range spread {
		name := fmt.Sprintf("s = %v", s)
		// the slope of the closed form over the same cut-offs is 1 less the next order
		law := fitLog(logs(x), exact[j], se[j]).slope
		l.slope("error of the drift against exp(-cut-off), "+name, law, x, measured[j], se[j], 0)
		lines = append(lines, pair(name, x, measured[j], se[j], exact[j])...)
	}
	l.figure("linear-cutoffs", figure.Plot{
		Title: "Drift of the bound with cut-offs at -c and c" + dashed, XLabel: "exp(-c)", YLabel: "error of the drift at z - m = 1",
		LogX: true, LogY: true, Series: lines,
	})
	return nil
}

func logs(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.Log(v)
	}
	return y
}

// dashed ends the title of a diagram of pairs.
const dashed = " (dashed: exact)"

// pair is measured points and the line of the closed form.
func pair(name string, x, y, se, exact []float64) []figure.Series {
	return []figure.Series{
		{Name: name, X: x, Y: y, Err: errorBars(se), Points: true},
		{X: x, Y: exact, Line: true, Dashed: true, Same: true},
	}
}

// errorBars are those of 95 % intervals.
func errorBars(se []float64) []float64 {
	bars := make([]float64, len(se))
	for i, e := range se {
		bars[i] = normal95 * e
	}
	return bars
}
