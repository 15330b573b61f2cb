package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/data"
)

// compareSteps measures training steps and sampling, and returns their tables.
func compareSteps(o options, dir string) (string, error) {
	recordings, err := recordAll(o, dir)
	if err != nil {
		return "", err
	}
	list := settings(dir, o.pythons)
	found, notes, err := firstLook(dir, list, recordings, o.precisions)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		tried := strings.Join(o.pythons, ", ")
		notes = append(notes,
			"None of the interpreters "+tried+" can import torch or jax (see -python).")
	}
	t := &tournament{rounds: o.rounds, precisions: o.precisions}
	defer t.stop()
	if err := t.enter(choose(found)); err != nil {
		return "", err
	}
	for _, r := range recordings {
		if err := t.measure(r.work); err != nil {
			return "", err
		}
	}
	return t.markdown(found, notes), nil
}

// recordAll records the works that are asked for, writes the files for the scripts, and compares
// plume's other precisions with the recordings.
func recordAll(o options, dir string) (list []*recording, err error) {
	for _, w := range works() {
		if !o.pattern.MatchString(w.name) {
			continue
		}
		if err := supported(w.config); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		images, err := w.open()
		if err != nil {
			return nil, err
		}
		if err := writePictures(dir, w.config.Data, images); err != nil {
			return nil, err
		}
		r, err := w.record(dir, images)
		if err != nil {
			return nil, err
		}
		for _, way := range plumeWays("native", o.precisions) {
			if err := r.checkPlume(way, images); err != nil {
				return nil, err
			}
		}
		list = append(list, r)
	}
	return list, nil
}

// open returns the images of a work.
func (w work) open() (data.Dataset, error) {
	return data.Open(context.Background(), w.config.Data, data.Options{})
}

// entrant is a side that works in one way.
type entrant struct {
	*side
	family  string // plume's backend and what is special in its way, or the framework
	threads int    // of plume; 0 for other sides
	label   string // setting and way of other sides
	setting setting
	way     way
	work    string // the only one that it does; empty for plume, which does all
	peak    bool   // also measures the peak
}

// tournament is the sides and their measurements.
type tournament struct {
	rounds     int
	precisions []blas.Precision
	entrants   []*entrant
	watch      watch
	outcomes   []*outcome
}

// outcome is the measurements of a work.
type outcome struct {
	work
	times map[*entrant][]float64 // ms
	peaks map[int][]float64      // FMA peak by threads, operations per second
}

// enter starts all sides: plume's by backends and threads, each for all of its ways, and the chosen
// others.
func (t *tournament) enter(chosen []candidate) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range backends() {
		for _, n := range threadCounts() {
			s := &side{name: fmt.Sprintf("plume, %s, threads %d", name, n)}
			s.start(nil, self, "-worker", fmt.Sprintf("steps/%s/%d", name, n))
			if s.absent != "" {
				return fmt.Errorf("%s: %s", s.name, s.absent)
			}
			t.watch.sides = append(t.watch.sides, s)
			for i, w := range plumeWays(name, t.precisions) {
				family := name
				if w.precision() != blas.Float32 {
					family += ", " + string(w)
				}
				t.entrants = append(t.entrants, &entrant{
					side: s, family: family, threads: n, way: w,
					peak: i == 0 && name == backends()[0],
				})
			}
		}
	}
	for _, c := range chosen {
		if err := t.add(c); err != nil {
			return err
		}
	}
	return nil
}

// backends returns the measured ones: gonum, which is at least ten times slower, only if it is
// alone.
func backends() []string {
	names := blas.Available()
	if len(names) > 1 {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "gonum" })
	}
	return names
}

// add enters a candidate; candidates of one setting share a process.
func (t *tournament) add(c candidate) error {
	e := &entrant{
		family: c.family(), label: strings.Trim(c.setting.label+", "+string(c.way), ", "),
		setting: c.setting, way: c.way, work: c.work,
	}
	for _, other := range t.entrants {
		have, want := other.setting, c.setting
		if other.threads == 0 && have.framework == want.framework && have.label == want.label {
			e.side = other.side
		}
	}
	if e.side == nil {
		var err error
		if e.side, err = c.setting.start(); err != nil {
			return err
		}
		t.watch.sides = append(t.watch.sides, e.side)
	}
	t.entrants = append(t.entrants, e)
	return nil
}

func (t *tournament) stop() { stopAll(t.watch.sides) }

// measure measures a work with all sides in every round; the order is reversed after each round.
func (t *tournament) measure(w work) error {
	o := &outcome{work: w, times: map[*entrant][]float64{}, peaks: map[int][]float64{}}
	t.outcomes = append(t.outcomes, o)
	order := slices.Clone(t.entrants)
	for round := range t.rounds {
		fmt.Fprintf(os.Stderr, "%s, round %d\n", w.name, round+1)
		for _, e := range order {
			if err := t.turn(o, e); err != nil {
				return err
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// turn makes one measurement of one side.
func (t *tournament) turn(o *outcome, e *entrant) error {
	if e.work != "" && e.work != o.name {
		return nil
	}
	if e.peak {
		peak, err := e.number("peak")
		if err != nil {
			return err
		}
		o.peaks[e.threads] = append(o.peaks[e.threads], peak)
	}
	return t.watch.during(e.side, func() error {
		ms, err := e.time(o.name, e.way)
		o.times[e] = append(o.times[e], ms)
		return err
	})
}

// writePictures writes the images of a data set into a file of its name, unless they are there.
func writePictures(dir, name string, images data.Dataset) error {
	file := filepath.Join(dir, name)
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	pixels := make([]float32, images.Len()*images.Shape().Dim())
	images.Gather(pixels, data.Range(0, images.Len()))
	return writeFloats(file, pixels)
}
