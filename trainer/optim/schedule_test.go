package optim

import (
	"math"
	"testing"
)

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		schedule       Schedule
		start, mid, to float64 // at 0, 1/2, 1
	}{
		{"constant", 4, 4, 4},
		{"geometric", 4, 2, 1},
		{"cosine", 4, 2.5, 1},
	} {
		for i, want := range []float64{c.start, c.mid, c.to} {
			done := float64(i) / 2
			if got := c.schedule.At(4, 1, done); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s at %v: %v, expected %v", c.schedule, done, got, want)
			}
		}
	}
}
