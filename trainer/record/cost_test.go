package record

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Operations are weighed by the time of their epochs; the highest of the peaks counts; records of
// earlier versions have no part in either.
func TestCostOf(t *testing.T) {
	nan := Number(math.NaN())
	bytes, took := Number(100), Number(0.25)
	got := CostOf([]Epoch{
		{StepSeconds: 10, ProductFLOPS: nan, PeakShare: nan, Step: 20},
		{StepSeconds: 10, ProductFLOPS: nan, PeakShare: nan, Step: 40,
			ExchangeBytes: &bytes, ExchangeSeconds: &took},
		{StepSeconds: 11, ProductFLOPS: 8e9, PeakShare: 0.5,
			PhaseSeconds: map[string]Number{"reduce": 1, "idle": 0.5}},
		{StepSeconds: 14, ProductFLOPS: 4e9, PeakShare: 0.2,
			PhaseSeconds: map[string]Number{"reduce": 2, "move": 0.25}},
	})
	want := Cost{
		Phases: map[string]float64{"reduce": 3, "idle": 0.5, "move": 0.25}, Rate: 5e9, Peak: 20e9,
		ExchangeBytes: 100, ExchangeSeconds: 0.25, Steps: 40,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Error(diff)
	}
	if share, busy := got.Share(), got.Busy(); math.Abs(share-0.25) > 1e-9 || busy != 3.75 {
		t.Errorf("a share of %v, %v s", share, busy)
	}
	if none := CostOf([]Epoch{{ProductFLOPS: nan}}); none.Share() != 0 || none.Phases != nil {
		t.Errorf("of nothing: %+v", none)
	}
}
