package lab

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

// TestVerdicts: each kind of check passes what it should, and fails what is wrong or not a number.
func TestVerdicts(t *testing.T) {
	l := New(t.Context(), nil, Experiment{Section: "8.9"}, 1, false)
	x, y, se := []float64{1, 2, 4}, []float64{3, 12, 48}, []float64{0.03, 0.12, 0.48}
	for _, c := range []struct {
		ok    bool
		check func()
	}{
		{true, func() { l.Estimate("", 1, 1.46, 0.1, 0) }},
		{false, func() { l.Estimate("", 1, 1.48, 0.1, 0) }},
		{true, func() { l.Estimate("", 1, 0.48, 0.1, 0.06) }},
		{false, func() { l.Estimate("", 1, math.NaN(), 0.1, 0) }},
		{false, func() { l.Estimate("", 1, 1, math.NaN(), 0) }},
		{false, func() { l.Estimate("", 1, math.Inf(1), 0.1, 0) }},
		{true, func() { l.AtMost("", 1, 1) }},
		{false, func() { l.AtMost("", 1.01, 1) }},
		{true, func() { l.Between("", 1, 0, 2) }},
		{false, func() { l.Between("", -0.1, 0, 2) }},
		{true, func() { l.Slope("", 2, x, y, se, 0) }},
		{false, func() { l.Slope("", 1.9, x, y, se, 0) }},
		{true, func() { l.Slope("", 1.9, x, y, se, 0.1) }},
		{true, func() { l.Factor("", 2, []float64{0, 1, 2}, []float64{3, 6, 12}, se, 0) }},
		{false, func() { l.Factor("", 4, []float64{0, 1, 2}, []float64{3, 6, 12}, se, 0) }},
		{true, func() { l.Bracket("", 1, 0.99, 1.02) }},
		{false, func() { l.Bracket("", 1, 1.01, 1.02) }},
		{false, func() { l.Bracket("", 1, 0.9, 0.99) }},
		{false, func() { l.Bracket("", 1, 1.02, 0.99) }},
		{false, func() { l.Bracket("", 1, 0, math.Inf(1)) }},
	} {
		c.check()
		last := l.found.Checks[len(l.found.Checks)-1]
		if (last.Verdict == OK) != c.ok || last.Section != "8.9" {
			t.Errorf("%+v: expected ok %v", last, c.ok)
		}
	}
}

// TestDiverged: a training that diverged is a failed check, other errors are errors.
func TestDiverged(t *testing.T) {
	for _, c := range []struct {
		err    error
		failed int
	}{{method.ErrDiverged, 1}, {context.Canceled, 0}} {
		e := Experiment{"8.9", "a", func(*Lab) error { return c.err }}
		found, err := New(t.Context(), nil, e, 1, false).Run()
		failed := 0
		for _, check := range found.Checks {
			if check.Verdict == Fail {
				failed++
			}
		}
		if (err == nil) != (c.failed == 1) || failed != c.failed {
			t.Errorf("%v: %v, %d failed checks", c.err, err, failed)
		}
		if _, err := json.Marshal(found.Checks); err != nil {
			t.Error(err)
		}
	}
}

// TestCheckJSON: absent bounds are null.
func TestCheckJSON(t *testing.T) {
	text, err := json.Marshal(Check{
		Section: "8.1", Quantity: "q", Exact: record.Number(math.NaN()), Measured: 2,
		Low: record.Number(math.Inf(-1)), High: 3, Verdict: OK,
	})
	const want = `{"section":"8.1","quantity":"q","exact":null,"measured":2,"standard_error":0,` +
		`"low":null,"high":3,"verdict":"ok"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}
