package main

import (
	"context"
	"fmt"
	"math"
)

// outcome is what a training of whole epochs gave.
type outcome struct {
	FD      float64 `json:"fd"`
	Seconds float64 `json:"seconds"` // of training steps, wall time
}

// contestant is a way to train.
type contestant interface {
	name() string
	train(ctx context.Context, epochs int, seed uint64) (outcome, error)
}

// ladder are the numbers of epochs that are tried, each a tenth more than the one below.
var ladder = rungs(2, 500, 1.1)

func rungs(first, last int, factor float64) (list []int) {
	for x := float64(first); x <= float64(last); x *= factor {
		n := int(math.Round(x))
		if len(list) == 0 || n > list[len(list)-1] {
			list = append(list, n)
		}
	}
	return list
}

// start is the epochs of the first rung that is tried, and stride the number of rungs to the next
// until one reaches the target: from short to long, since long trainings cost most.
const (
	start  = 10
	stride = 4
)

// search looks for the fewest epochs whose mean distance over the seeds reaches the target.
type search struct {
	target float64
	seeds  []uint64
	train  func(epochs int, seed uint64) (outcome, error)
}

// notReached says that no rung reached the target.
type notReached struct{ epochs int }

func (e *notReached) Error() string {
	return fmt.Sprintf("the target is not reached in %d epochs, the most that are tried", e.epochs)
}

// run returns the epochs of a rung of the list that reaches the target while the rung below does
// not. If the distances fell from rung to rung there would be no other; their noise, of a tenth of
// the distance for a seed, can move the result by a rung or two.
func (s search) run(list []int) (epochs int, err error) {
	low, high := -1, len(list) // below fails, above reaches
	for i := first(list); low < high-1; {
		reached, err := s.reached(list[i])
		if err != nil {
			return 0, err
		}
		if reached {
			high = i
		} else {
			low = i
		}
		switch {
		case high < len(list): // bisect
			i = (low + high) / 2
			if low < 0 {
				i = high / 2
			}
		case low == len(list)-1:
			return 0, &notReached{list[low]}
		default:
			i = min(low+stride, len(list)-1)
		}
	}
	return list[high], nil
}

// first is the number of the rung that is tried first.
func first(list []int) int {
	for i, epochs := range list {
		if epochs >= start {
			return i
		}
	}
	return len(list) - 1
}

// reached reports whether the mean distance of all seeds reaches the target. It leaves out seeds
// that cannot change the answer, since distances are not negative.
func (s search) reached(epochs int) (bool, error) {
	most := s.target * float64(len(s.seeds))
	sum := 0.0
	for _, seed := range s.seeds {
		o, err := s.train(epochs, seed)
		if err != nil {
			return false, err
		}
		if sum += o.FD; !(sum <= most) {
			return false, nil
		}
	}
	return true, nil
}
