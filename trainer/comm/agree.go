package comm

import (
	"encoding/json"
	"fmt"
	"time"
)

// Elsewhere is the error of another rank.
type Elsewhere struct {
	Rank int
	Text string
}

func (e *Elsewhere) Error() string { return fmt.Sprintf("rank %d: %s", e.Rank, e.Text) }

// Agree returns an error on all ranks if one of them has an error: its own on a rank that has one,
// else an *Elsewhere with that of the first rank that has one. broken is the error of the exchange,
// after which the ranks agree on nothing.
func Agree(c Comm, own error) (agreed, broken error) {
	if c.Size() == 1 {
		return own, nil
	}
	failed := make([]float64, c.Size())
	if own != nil {
		failed[c.Rank()] = 1
	}
	if err := c.Gather(failed); err != nil {
		return nil, err
	}
	for rank, f := range failed {
		if f == 0 {
			continue
		}
		var text string
		if own != nil {
			text = own.Error()
		}
		text, err := Share(c, text, rank)
		if err != nil || own != nil {
			return own, err
		}
		return &Elsewhere{rank, text}, nil
	}
	return nil, nil
}

// Share returns the root's value on all ranks, by way of JSON.
func Share[T any](c Comm, own T, root int) (v T, err error) {
	if c.Size() == 1 {
		return own, nil
	}
	var text []byte
	if c.Rank() == root {
		if text, err = json.Marshal(own); err != nil {
			return v, err
		}
	}
	if text, err = c.Broadcast(text, root); err != nil {
		return v, err
	}
	return v, json.Unmarshal(text, &v)
}

// Together does a rank's part of some work that takes longer on one rank than on others, and
// returns when all ranks have done theirs. Until then the ranks exchange signs of life, about one
// in the time every, so that a watchdog (Watch) sees only those that are dead. Errors are those of
// Agree.
func Together(c Comm, every time.Duration, work func() error) (agreed, broken error) {
	if c.Size() == 1 {
		return work(), nil
	}
	done := make(chan error, 1)
	go func() { done <- work() }()
	var own error
	ready := make([]float64, c.Size())
	for finished, all := false, false; !all; {
		if !finished {
			select {
			case own = <-done:
				finished = true
			case <-time.After(every):
			}
		}
		if ready[c.Rank()] = 0; finished {
			ready[c.Rank()] = 1
		}
		if err := c.Gather(ready); err != nil {
			if !finished {
				<-done
			}
			return nil, err
		}
		all = true
		for _, r := range ready {
			all = all && r == 1
		}
	}
	return Agree(c, own)
}
