package page

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/record"
)

// idle is the name that records give the time of workers without a task.
const idle = "idle"

// Bar is a share of a run in a diagram of several.
type Bar struct {
	Run   int // number of the run
	Share Share
}

// Overlaid is the same part of several runs.
type Overlaid struct {
	Name string
	Bars []Bar
}

// Phases are the parts of a step, and what share each has of the time of the runs' workers.
func (p *Page) Phases() (all []Overlaid) {
	names := []string{}
	for _, known := range phase.All() {
		names = append(names, known.String())
	}
	for _, name := range append(names, idle) {
		row := Overlaid{Name: strings.ReplaceAll(name, "-", " ")}
		for _, r := range p.Runs {
			seconds, found := r.Cost.Phases[name]
			if !found {
				continue
			}
			share := seconds / r.Cost.Busy()
			text := fmt.Sprintf("%s, %s", duration(seconds), percentage(share))
			row.Bars = append(row.Bars, Bar{r.Number, Share{"", text, share}})
		}
		if row.Bars != nil {
			all = append(all, row)
		}
	}
	return all
}

// Peaks are the shares of the machines' peaks that the products of the runs reach.
func (p *Page) Peaks() (all []Bar) {
	for _, r := range p.Runs {
		if share := r.Cost.Share(); share > 0 {
			rate := func(v float64) string { return humanize.SIWithDigits(v, 1, "FLOP/s") }
			text := fmt.Sprintf("%s: %s of %s", percentage(share), rate(r.Cost.Rate),
				rate(r.Cost.Peak))
			all = append(all, Bar{r.Number, Share{r.Name, text, share}})
		}
	}
	return all
}

// Bounds of shares that are as they should be.
const (
	leastPeak   = 0.1
	mostIdle    = 0.3
	mostWaiting = 0.25 // of the time in all phases, for other ranks
	mostWorse   = 0.02 // of the prior loss, by levels at which the score network has learnt nothing
	finest      = 0.5  // of the loss at the least noise
)

// ofCost judges how well the workers are used.
func ofCost(c record.Cost) (all []Finding) {
	if share := c.Share(); share > 0 {
		f := Finding{"Share of the peak", percentage(share), Good, "The products of the networks " +
			"make good use of the machine."}
		if share < leastPeak {
			f.Verdict, f.Do = Watch, "Products are a small part of the work, or too small to be "+
				"fast: a larger batch or wider networks cost little more time."
		}
		all = append(all, f)
	}
	if waited, busy := c.Phases[idle], c.Busy(); busy > 0 {
		f := Finding{"Idle workers", percentage(waited / busy), Good, "The workers have enough " +
			"to do."}
		if waited > mostIdle*busy {
			f.Verdict, f.Do = Watch, "Workers wait for each other or for a core: a larger batch, "+
				"a smaller tile or fewer threads leaves less of that."
		}
		all = append(all, f)
	}
	return append(all, ofExchange(c)...)
}

// ofExchange judges what several ranks have said to each other.
func ofExchange(c record.Cost) []Finding {
	busy := c.Busy()
	if c.ExchangeBytes == 0 || busy == 0 || c.Steps == 0 {
		return nil
	}
	waited := c.Phases[phase.Exchange.String()] / (busy - c.Phases[idle])
	text := fmt.Sprintf("%s sent per step, %.2g s in all, of which training waited %.2g s",
		humanize.IBytes(uint64(c.ExchangeBytes/float64(c.Steps))), c.ExchangeSeconds,
		c.Phases[phase.Exchange.String()])
	f := Finding{"Exchange between ranks", text, Good, "Most of it is hidden behind computation."}
	if waited > mostWaiting {
		f.Verdict, f.Do = Watch, "Ranks wait for each other: a larger batch, more inner_steps, "+
			"fewer ranks or a faster network leaves less of that."
	}
	return []Finding{f}
}

// ofLevels judges the prior loss by the level of noise.
func ofLevels(l *record.Levels) []Finding {
	if l == nil {
		return nil
	}
	worse, sum, from, to := 0.0, 0.0, 0.0, 0.0
	for i, loss := range l.Loss {
		if without := l.Unlearned[i]; loss.Finite() && without.Finite() {
			sum += float64(without)
			if loss <= without {
				continue
			}
			lo, hi := l.Part(i)
			if worse == 0 {
				from = lo
			}
			worse += float64(loss - without)
			to = hi
		}
	}
	last := len(l.Loss) - 1
	gained := 1 - float64(l.Loss[last]/l.Unlearned[last])
	low, high := extent(l.Loss)
	f := Finding{"Prior loss by noise level", fmt.Sprintf("%.3g to %.3g nats", low, high), Good,
		"At no level of noise is the score network worse than none."}
	switch {
	case worse > mostWorse*sum:
		f.Verdict, f.Do = Watch, fmt.Sprintf("From lambda %.3g to %.3g the score network is worse "+
			"than none: train for longer, with a smaller score_lr, or with more score_draws.",
			from, to)
	case gained > finest:
		f.Verdict, f.Do = Watch, "The latents have structure finer than the least noise: a larger "+
			"lambda_max lets the prior learn it."
	}
	return []Finding{f}
}

// extent returns the least and the largest of the finite numbers.
func extent(x []record.Number) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range x {
		if v.Finite() {
			low, high = min(low, float64(v)), max(high, float64(v))
		}
	}
	return low, high
}

// Profile is the diagram of the prior losses of the runs by the level of noise.
type Profile struct {
	Lines []ProfileLine
	X, Y  []Tick
	Most  string // the largest loss
}

// ProfileLine is the curve of a run, and what it would be without a score network.
type ProfileLine struct {
	Run             int
	Name            string
	Path, Unlearned string // of an SVG
}

// Tick is a label of an axis, at a place of the SVG.
type Tick struct {
	At   float64
	Text string
}

// The SVG of a Profile: the diagram's place in it.
const (
	profileLeft, profileRight = 34., 590.
	profileTop, profileBottom = 10., 190.
	profileTicks              = 5
)

// Profile returns that of the runs; nil if none has levels.
func (p *Page) Profile() *Profile {
	low, high, most := math.Inf(1), math.Inf(-1), 0.0
	for _, r := range p.Runs {
		if l := r.Levels; l != nil {
			low, high = min(low, float64(l.Min)), max(high, float64(l.Max))
			for _, x := range [][]record.Number{l.Loss, l.Unlearned} {
				_, largest := extent(x)
				most = max(most, largest)
			}
		}
	}
	if !(high > low) || !(most > 0) {
		return nil
	}
	at := func(lambda, loss float64) (x, y float64) {
		x = profileLeft + (lambda-low)/(high-low)*(profileRight-profileLeft)
		return x, profileBottom - loss/most*(profileBottom-profileTop)
	}
	d := &Profile{Most: number(record.Number(most))}
	for i := range profileTicks {
		share := float64(i) / (profileTicks - 1)
		lambda, loss := low+share*(high-low), share*most
		x, y := at(lambda, loss)
		d.X = append(d.X, Tick{x, fmt.Sprintf("%.3g", lambda)})
		d.Y = append(d.Y, Tick{y, fmt.Sprintf("%.2g", loss)})
	}
	for _, r := range p.Runs {
		if r.Levels != nil {
			d.Lines = append(d.Lines, ProfileLine{
				r.Number, r.Name, path(r.Levels, r.Levels.Loss, at),
				path(r.Levels, r.Levels.Unlearned, at),
			})
		}
	}
	return d
}

// path goes through the middles of the parts; those without a loss are left out.
func path(
	l *record.Levels, losses []record.Number, at func(lambda, loss float64) (x, y float64),
) string {
	var text strings.Builder
	for i, loss := range losses {
		if !loss.Finite() {
			continue
		}
		lo, hi := l.Part(i)
		x, y := at((lo+hi)/2, float64(loss))
		verb := "L"
		if text.Len() == 0 {
			verb = "M"
		}
		fmt.Fprintf(&text, "%s%.1f %.1f", verb, x, y)
	}
	return text.String()
}
