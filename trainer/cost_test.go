package trainer

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/run"
)

// What a run records of its cost adds up: the phases and the idle time are the time of the workers
// in steps.
func TestPhasesRecorded(t *testing.T) {
	c := smallRun()
	c.Threads, c.EvalSamples = 1, 0 // a single worker is hardly ever idle: what is no step shows
	c.DecoderWidths, c.ScoreWidth = []int{128}, 128
	records, err := run.ReadRecords(train(t, c))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, e := range records {
		for name, seconds := range e.PhaseSeconds {
			if sum += float64(seconds); !(seconds >= 0) {
				t.Errorf("%s took %v s", name, seconds)
			}
		}
		if len(e.PhaseSeconds) < 8 || !(e.ProductFLOPS > 0) || !(e.PeakShare > 0) {
			t.Errorf("epoch %d: phases %v, %v operations/s, a share of %v", e.Epoch,
				e.PhaseSeconds, e.ProductFLOPS, e.PeakShare)
		}
	}
	all := float64(records[len(records)-1].StepSeconds)
	if math.Abs(sum/all-1) > 1e-6 {
		t.Errorf("the phases add up to %v s, the workers' time is %v s", sum, all)
	}
}

// The mean over the levels, with what does not depend on them, is the prior loss, if all levels are
// drawn as often (otherwise only in expectation). Per dimension the rest is that of the bound at
// N(0, I), but for alpha_min^2/2 of the mean square, 2e-5 of it.
func TestPriorLossByLevel(t *testing.T) {
	c := smallRun()
	c.EvalSamples, c.PriorLevels = 0, diffusion.Uniform
	c.Network, c.Decoder = config.MLP, config.MLP // so that the levels are not left to the data
	records, err := run.ReadRecords(train(t, c))
	if err != nil {
		t.Fatal(err)
	}
	e := records[len(records)-1] // after the warm-up, in which the loss is another
	a2 := func(lambda float64) float64 { return 1 / (1 + math.Exp(-lambda)) }
	min2, max2 := 1-a2(c.LambdaMin), a2(c.LambdaMax)
	want := (min2 - math.Log(min2) + math.Log(2*math.Pi*(1-max2)/max2)) / 2
	for _, loss := range e.PriorByLambda.Loss {
		want += float64(loss) / float64(len(e.PriorByLambda.Loss))
	}
	if got := float64(e.PriorLoss); math.Abs(got-want) > 1e-3 {
		t.Errorf("the prior loss is %v, by level %v", got, want)
	}
	if lo, hi := e.PriorByLambda.Part(7); lo != 7.5 || hi != 10 {
		t.Errorf("the last level is from %v to %v", lo, hi)
	}
	if records[0].PriorByLambda != nil && c.PriorWarmup > records[0].Step {
		t.Errorf("levels of a prior that was held: %+v", records[0].PriorByLambda)
	}
}
