package main

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
)

// flat returns samples of a process that does not grow, with noise.
func flat(n int) []sample {
	r := rand.New(rand.NewPCG(1, 2))
	s := make([]sample, n)
	for i := range s {
		s[i] = sample{
			step:       80_000 * (i + 1),
			heap:       5<<20 + r.Int64N(10<<10),
			goroutines: 7,
			files:      12,
			resident:   50<<20 + r.Int64N(4<<20),
		}
	}
	return s
}

// TestJudge: each kind of growth is found down to the promised size, and none in noise, in the
// warm-up or in shrinking.
func TestJudge(t *testing.T) {
	for what, c := range map[string]struct {
		grow func(s *sample, i int)
		want string // "": nothing
	}{
		"noise": {func(*sample, int) {}, ""},
		"1 byte a step": {
			func(s *sample, _ int) { s.heap += int64(s.step) }, "bytes of heap",
		},
		"300 bytes a step": {
			func(s *sample, _ int) { s.heap += 300 * int64(s.step) }, "bytes of heap",
		},
		"a goroutine every quarter": {
			func(s *sample, i int) { s.goroutines += i / 15 }, "goroutines",
		},
		"a file at the end": {
			func(s *sample, i int) { s.files += i / 40 }, "open files",
		},
		"a kilobyte a step outside the heap": {
			func(s *sample, _ int) { s.resident += 1 << 10 * int64(s.step) }, "resident bytes",
		},
		"the warm-up": {
			func(s *sample, i int) { s.heap += int64(min(i, 11)) << 20 }, "",
		},
		"less and less": {
			func(s *sample, i int) { s.heap -= int64(i) << 10; s.goroutines -= i / 20 }, "",
		},
		"one outlier": {
			func(s *sample, i int) { s.files += i / 59; s.goroutines += i / 59 }, "",
		},
		"unknown files and memory": {
			func(s *sample, _ int) { s.files, s.resident = 0, 0 }, "",
		},
	} {
		samples := flat(60)
		for i := range samples {
			c.grow(&samples[i], i)
		}
		err := judge(samples)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", what, err, c.want)
		}
	}
	if err := judge(flat(fewest - 1)); !errors.Is(err, errTooShort) {
		t.Errorf("few samples: %v", err)
	}
}

// shortSoak is the verdict on some thousand steps in three sessions, independent of the clock.
func shortSoak(t *testing.T, cloud config.Cloud, leak int) error {
	t.Helper()
	s := soak{
		dir: t.TempDir(), cloud: cloud, leak: leak, part: 30,
		over:   func(epoch int) bool { return epoch >= 75 },
		due:    func(epoch int) bool { return epoch%5 == 0 },
		report: func(x sample) { t.Log(x) },
	}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.samples) != 15 {
		t.Fatalf("%d samples", len(s.samples))
	}
	return judge(s.samples)
}

// TestSoak: a training does not grow, and one that leaks 300 bytes a step is caught.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	for _, cloud := range []config.Cloud{config.InMemory, config.InFile} {
		if err := shortSoak(t, cloud, 0); err != nil {
			t.Errorf("%s: %v", cloud, err)
		}
	}
	err := shortSoak(t, "memory", 300)
	if err == nil || !strings.Contains(err.Error(), "bytes of heap") {
		t.Errorf("a leak of 300 bytes a step: %v", err)
	}
}
