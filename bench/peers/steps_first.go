package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/blas"
)

// candidate is a way of doing a work in a setting, and its time in a first measurement.
type candidate struct {
	setting setting
	work    string
	way     way
	first   float64 // ms
}

// family is the column that a candidate competes for.
func (c candidate) family() string {
	framework, _, _ := strings.Cut(c.setting.framework, " ")
	if c.way.byHand() {
		return framework + ", by hand"
	}
	return framework
}

// firstLook tries every way of every setting in the given precisions: its results are compared with
// those of plume, and it is timed for a short while. A way that does not run here becomes a note.
func firstLook(
	dir string, list []setting, recordings []*recording, among []blas.Precision,
) (found []candidate, notes []string, err error) {
	for _, s := range list {
		p, err := s.start()
		if err != nil {
			return nil, nil, err
		}
		fmt.Fprintln(os.Stderr, p.name)
		for _, r := range recordings {
			ways, err := p.ask("ways " + r.name)
			if err != nil {
				return nil, nil, err
			}
			for word := range strings.FieldsSeq(ways) {
				c := candidate{setting: s, work: r.name, way: way(word)}
				if !slices.Contains(among, c.way.precision()) {
					continue
				}
				err := c.look(dir, p, r)
				if died := (*silentError)(nil); errors.As(err, &died) {
					const text = "%s cannot do %s in the way %s: %s"
					notes = append(notes, fmt.Sprintf(text, p.name, r.name, c.way, died.log))
					p, err = s.start()
				} else if err == nil {
					fmt.Fprintf(os.Stderr, "  %s %s: %.4g ms\n", r.name, c.way, c.first)
					found = append(found, c)
				}
				if err != nil {
					p.stop()
					return nil, nil, err
				}
			}
		}
		p.stop()
	}
	return found, notes, nil
}

func (c *candidate) look(dir string, p *side, r *recording) error {
	if err := r.check(dir, p, c.way); err != nil {
		return err
	}
	ms, err := p.time(c.work, c.way)
	c.first = ms
	return err
}

// time returns the milliseconds of a work.
func (s *side) time(work string, way way) (float64, error) {
	return s.number(fmt.Sprintf("time %s %s", work, way))
}

func (s *side) number(question string) (float64, error) {
	answer, err := s.ask(question)
	if err != nil {
		return 0, err
	}
	x, err := strconv.ParseFloat(answer, 64)
	if err != nil || !(x > 0) {
		return 0, fmt.Errorf("%s answered %q to %q: want a number above 0",
			s.name, answer, question)
	}
	return x, nil
}

// finalists is the number of candidates of each work, family and precision that go on, by the first
// measurement, which is too noisy to choose only one.
const finalists = 2

// choose returns the finalists, fastest first.
func choose(found []candidate) (chosen []candidate) {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.first, b.first) })
	type rivals struct {
		work, family string
		precision    blas.Precision
	}
	taken := map[rivals]int{}
	for _, c := range found {
		r := rivals{c.work, c.family(), c.way.precision()}
		if taken[r] < finalists {
			taken[r]++
			chosen = append(chosen, c)
		}
	}
	return chosen
}
