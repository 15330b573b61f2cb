package compare

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
)

// Budget limits each run. Exactly one of the fields is set; the others are zero.
type Budget struct {
	// Seconds of training, without evaluations and checkpoints.
	Seconds float64 `json:"seconds,omitempty"`
	// Evaluations of networks: passes of a row, forward and backward, through one network.
	Evaluations float64 `json:"evaluations,omitempty"`
	Epochs      int     `json:"epochs,omitempty"`
}

func (b Budget) validate() error {
	set := 0
	for _, v := range []float64{b.Seconds, b.Evaluations, float64(b.Epochs)} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("budget %v: expected finite numbers above 0", v)
		}
		if v > 0 {
			set++
		}
	}
	if set != 1 {
		return errors.New("budget: expected exactly one of seconds, network evaluations and epochs")
	}
	return nil
}

// String is the budget in words: "3m0s of training".
func (b Budget) String() string {
	switch {
	case b.Seconds > 0:
		return fmt.Sprintf("%v of training",
			time.Duration(b.Seconds*float64(time.Second)).Round(time.Millisecond))
	case b.Evaluations > 0:
		return count(b.Evaluations) + " network evaluations"
	}
	return fmt.Sprintf("%d epochs", b.Epochs)
}

// count formats a number with three digits and an SI prefix: 32.4M.
func count(v float64) string {
	value, prefix := humanize.ComputeSI(v)
	decimals := 2
	for limit := 10.0; value >= limit && decimals > 0; limit *= 10 {
		decimals--
	}
	return strconv.FormatFloat(value, 'f', decimals, 64) + prefix
}

// maxEpochs is the largest number of epochs of a run.
const maxEpochs = math.MaxInt32

// fit returns the largest number of epochs, at least one, that fit the budget together with the
// one-off cost. fits is false if even one epoch exceeds the budget. A quotient that is an integer
// up to rounding counts as that integer.
func fit(budget, once, epoch float64) (epochs int, fits bool) {
	n := math.Floor((budget-once)/epoch + 1e-9)
	return int(min(max(n, 1), maxEpochs)), n >= 1
}
