package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Every is an interval: a number of epochs, or a time. The zero Every means only at the end of a
// run. At most one of the fields is set.
type Every struct {
	Epochs int
	Time   time.Duration
}

// EveryEpochs returns the interval of n epochs.
func EveryEpochs(n int) Every { return Every{Epochs: n} }

// String returns the number of epochs, or the time without zero parts: 10m, 1h30m.
func (e Every) String() string {
	if e.Time == 0 {
		return strconv.Itoa(e.Epochs)
	}
	text := e.Time.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// parseEvery reads what String returns, and any other time that time.ParseDuration reads.
func parseEvery(text string) (Every, error) {
	if n, err := strconv.Atoi(text); err == nil {
		return Every{Epochs: n}, nil
	}
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errors.New("not a positive time")
	}
	return Every{Time: d}, err
}

// interval is the kind of value of an Every.
type interval Every

func (e *interval) text() string   { return Every(*e).String() }
func (e *interval) scratch() value { return new(interval) }

func (e *interval) kind() kind {
	return kind{"epochs|time", "an integer of epochs, or a time such as 10m or 90s"}
}

func (e *interval) parse(text string) error {
	v, err := parseEvery(strings.TrimSpace(text))
	return set((*Every)(e), v, err)
}

// encode returns an integer, or the time as a string.
func (e *interval) encode() any {
	if e.Time == 0 {
		return e.Epochs
	}
	return e.text()
}

func (e *interval) decode(v any) bool {
	if s, isText := v.(string); isText {
		return e.parse(s) == nil
	}
	n := integer(0)
	ok := n.decode(v)
	if ok {
		*e = interval(EveryEpochs(int(n)))
	}
	return ok
}
