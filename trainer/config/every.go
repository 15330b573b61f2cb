package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Every is how often something is done: after so many epochs, or whenever so much time has passed.
// The zero Every is only at the end of a run. At most one of the fields is set.
type Every struct {
	Epochs int
	Time   time.Duration
}

// EveryEpochs is an Every of n epochs.
func EveryEpochs(n int) Every { return Every{Epochs: n} }

// String is the number of epochs, or the time without its zero parts: 10m, 1h30m.
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

// parseEvery reads what String writes, and any other time that time.ParseDuration reads.
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

// toml is the value in a file: an integer, or a time as text.
func (e Every) toml() any {
	if e.Time == 0 {
		return e.Epochs
	}
	return e.String()
}

// setTOML is Key.setTOML.
func (e *Every) setTOML(v any) bool {
	switch v := v.(type) {
	case int64:
		if v < math.MinInt || v > math.MaxInt {
			return false
		}
		*e = Every{Epochs: int(v)}
		return true
	case string:
		parsed, err := parseEvery(strings.TrimSpace(v))
		if err == nil {
			*e = parsed
		}
		return err == nil
	}
	return false
}
