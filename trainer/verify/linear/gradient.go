package linear

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// spread is the prior variances of the coordinates of the diagonal models. Coordinate j has
// variance spread[j mod 4], so that 32 coordinates are 8 replicates of each.
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

// axesPrior is the diffusion prior with the exact score of N(axesMean, spread), whose parameters
// are constant.
func axesPrior(b diffusion.Bound) *prior.Diffusion {
	law := exactnet.NewAxes(axesDim)
	p := law.Values(spreadOver([]float64{axesMean}), spreadOver(spread[:]))
	score := exactnet.Score(law).Frozen(p)
	return &prior.Diffusion{Bound: b, Score: score}
}

// drifts is the mean and the variance of the bound's drift at one latent, by prior variances and
// batches.
type drifts struct{ mean, variance [len(spread)]lab.Sample }

// driftRows is the number of rows in a batch.
const driftRows = 512

// measureDrifts evaluates the bound in batches whose rows are all the same latent z. A batch gives
// the mean and the variance over its rows, averaged over the replicates.
func measureDrifts(l *lab.Lab, b diffusion.Bound, at float64, seed, batches int) drifts {
	const rows = driftRows
	tape := axesPrior(b).NewTape(
		nil, nil, model.Size{Rows: rows, Tile: 64, Passes: l.Pool.Workers()}, model.Differentiate)
	tape.Pack(0)
	z, g := make([]float32, rows*axesDim), make([]float32, rows*axesDim)
	loss, ids := make([]float32, rows), make([]uint64, rows)
	for i := range z {
		z[i] = float32(at)
	}
	for i := range ids {
		ids[i] = uint64(i)
	}
	var found drifts
	for k := range batches {
		key := kernel.Key{Seed: l.Seed(seed), Step: uint32(k), Stream: diffusion.StreamLambda}
		noise := key
		noise.Stream = diffusion.StreamScoreNoise
		tape.Begin(rows, key, noise)
		l.Pool.Run(pool.Group{N: rows / 64, Do: func(i int) {
			lo, hi := 64*i, 64*(i+1)
			left, right := lo*axesDim, hi*axesDim
			tape.Evaluate(diffusion.Rows{
				Lo: lo, Hi: hi, Z: z[left:right], IDs: ids[lo:hi], G: g[left:right],
				Loss: loss[lo:hi],
			})
		}})
		for j := range spread {
			m, v := columnMoments(g, j)
			found.mean[j] = append(found.mean[j], m)
			found.variance[j] = append(found.variance[j], v)
		}
	}
	return found
}

// columnMoments returns the mean and the unbiased variance over the rows, averaged over the
// coordinates j, j + 4, ...
func columnMoments(g []float32, j int) (mean, variance float64) {
	for ; j < axesDim; j += len(spread) {
		var column lab.Sample
		for i := j; i < len(g); i += axesDim {
			column = append(column, float64(g[i]))
		}
		mean += column.Mean() * float64(len(spread)) / axesDim
		variance += column.Variance() * float64(len(spread)) / axesDim
	}
	return mean, variance
}

// boundOf is the bound with noise levels from log-SNR -cut to cut.
func boundOf(cut float64, controlVariate bool) diffusion.Bound {
	p := diffusion.Process{Min: -cut, Max: cut}
	return diffusion.Bound{Process: p, Draws: 1, ControlVariate: controlVariate}
}

// boundGradient: the mean of the drift is the gradient of the bound, with and without the control
// variate, and its variance is the closed form v.
func boundGradient(l *lab.Lab) error {
	const at, cut = 1.25, 10
	for k, cv := range []bool{false, true} {
		found := measureDrifts(l, boundOf(cut, cv), at, k, l.N(64, 1024))
		for j, s := range spread {
			exact := drift1{boundOf(cut, cv).Process, axesMean, s, cv}
			name := fmt.Sprintf("s = %v%s", s, mark(cv, ", control variate"))
			l.EstimateMean("mean drift at z = 1.25, "+name, exact.mean(at), found.mean[j],
				lab.Float32Error)
			v := exact.variance(at)
			// A batch has one level in each stratum, which makes the variance of its rows up to
			// v/(rows-1) larger.
			allowance := v/(driftRows-1) + lab.Float32Error
			l.EstimateMean("variance of the drift, "+name, v, found.variance[j], allowance)
		}
	}
	return nil
}

// mark is the text if on, or nothing.
func mark(on bool, text string) string {
	if on {
		return text
	}
	return ""
}

// cutOffs: apart from the term of lambda_min, the distance of the drift from S^-1 (z - m) falls as
// exp(-cut).
func cutOffs(l *lab.Lab) error {
	const at = axesMean + 1
	cuts := []float64{1, 2, 3, 4}
	var x []float64
	var measured, exact, se [len(spread)][]float64
	for k, cut := range cuts {
		b := boundOf(cut, false)
		found := measureDrifts(l, b, at, k, l.N(64, 512))
		own := math.Pow(diffusion.Alpha(-cut), 2) * at
		x = append(x, math.Exp(-cut))
		for j, s := range spread {
			law := drift1{b.Process, axesMean, s, false}
			exact[j] = append(exact[j], 1/s-(law.mean(at)-own))
			measured[j] = append(measured[j], 1/s-(found.mean[j].Mean()-own))
			se[j] = append(se[j], found.mean[j].SE())
		}
	}
	var lines []figure.Series
	for j, s := range spread {
		name := fmt.Sprintf("s = %v", s)
		// over the same cut-offs the slope of the closed form is 1, less the next order
		law := lab.FitLog(lab.Logs(x), exact[j], se[j]).Slope
		l.Slope("error of the drift against exp(-cut-off), "+name, law, x, measured[j], se[j], 0)
		lines = append(lines, lab.Pair(name, x, measured[j], se[j], exact[j])...)
	}
	l.Figure("linear-cutoffs", figure.Plot{
		Title:  "Drift of the bound with cut-offs at -c and c" + lab.Dashed,
		XLabel: "exp(-c)", YLabel: "error of the drift at z - m = 1",
		LogX: true, LogY: true, Series: lines,
	})
	return nil
}
