package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/pool"
)

// Settling says how long Settle moves the particles of an image. It looks at each image by itself,
// after every Window of moves:
//
//   - The particles descend with the step size at the start, until the mean energy of a window is
//     no lower than that of the window before by more than two standard errors of the difference,
//     or for Descend moves. The errors are those of independent energies; since successive ones
//     are alike, the descent takes longer rather than ends early.
//   - During Cool moves the step size falls to that at the end.
//   - Then positions are kept: for Keep moves, and on until they are worth ESS independent draws
//     (Inferred.ESS) and, of an image of which values are missing, what is decoded there is worth
//     DecodedESS, or for KeepMost moves.
type Settling struct {
	Window, Descend, Cool, Keep, KeepMost int

	ESS, DecodedESS float64

	Cov    bool // average covariances too
	Decode bool // average what the decoder makes of the positions, too
}

// Patient are the lengths that questions about rows take unless told otherwise (package query).
func Patient() Settling {
	return Settling{Window: 50, Descend: 1000, Cool: 100, Keep: 100, KeepMost: 400, ESS: 40}
}

// settlingErrors is the number of standard errors by which the energy of a window must be below
// that of the window before for the descent to go on.
const settlingErrors = 2

func (s Settling) check(particles int) error {
	switch {
	case particles < 2:
		return fmt.Errorf("%d particle: expected 2 or more, to tell how many draws they are worth",
			particles)
	case s.Window < 2:
		return fmt.Errorf("a window of %d moves: expected 2 or more", s.Window)
	case s.Descend < 2*s.Window:
		return fmt.Errorf("a descent of %d moves at most: expected two windows of %d or more",
			s.Descend, s.Window)
	case s.Cool < 0 || s.Keep < 1 || s.KeepMost < s.Keep:
		return fmt.Errorf("cooling for %d moves, keeping %d to %d: expected 0 or more, 1 or more, "+
			"and as many or more", s.Cool, s.Keep, s.KeepMost)
	case !(s.ESS >= 0 && s.DecodedESS >= 0):
		return errors.New("effective samples: expected 0 or more")
	case s.DecodedESS > 0 && !s.Decode:
		return errors.New("effective samples of what is decoded: expected Decode")
	}
	return nil
}

// stage is what the particles of an image are doing.
type stage int

const (
	descending stage = iota
	cooling
	keeping
	done
)

// course is how far the particles of one image have come.
type course struct {
	stage       stage
	moves, all  int // made in this stage, and in all
	before, now window
	settled     bool
	kept        *sums
	decoded     *Decoded
	clipped     int // of the kept moves
}

// window is the energies of the moves of a window, averaged over the particles.
type window struct{ n, sum, squares float64 }

func (w *window) add(energy float64) {
	w.n++
	w.sum += energy
	w.squares += energy * energy
}

// mean is the mean energy, and the variance of its error if energies are independent.
func (w window) mean() (mean, variance float64) {
	mean = w.sum / w.n
	return mean, max(0, w.squares/w.n-mean*mean) / (w.n - 1)
}

// fell reports whether the energy fell from one window to the next by more than its error.
func fell(before, now window) bool {
	a, va := before.mean()
	b, vb := now.mean()
	return a-b > settlingErrors*math.Sqrt(va+vb)
}

// stepSize is the step size of the next move.
func (c *course) stepSize(s *Setup, to Settling) float64 {
	switch c.stage {
	case descending:
		return s.StepSize
	case cooling:
		cooled := min(1, float64(c.moves)/float64(to.Cool))
		return s.StepSize * math.Pow(s.StepSizeEnd/s.StepSize, cooled)
	}
	return s.StepSizeEnd
}

// look decides what comes next, at the end of a window.
func (c *course) look(to Settling) {
	switch c.stage {
	case descending:
		c.settled = c.before.n > 0 && !fell(c.before, c.now)
		if c.settled || c.moves >= to.Descend {
			c.stage, c.moves = cooling, 0
		}
		c.before, c.now = c.now, window{}
		if to.Cool == 0 && c.stage == cooling {
			c.stage = keeping
		}
	case cooling:
		if c.moves >= to.Cool {
			c.stage, c.moves = keeping, 0
		}
	case keeping:
		if c.moves >= to.KeepMost || c.moves >= to.Keep && c.worth(to) {
			c.stage = done
		}
	}
}

// worth reports whether what is kept is worth the draws that are asked for.
func (c *course) worth(to Settling) bool {
	return c.kept.ess() >= to.ESS && (to.DecodedESS == 0 || c.decoded.ess() >= to.DecodedESS)
}

// Settle moves the particles of the images that are held until each has settled, and takes the
// averages. When an image is done, the next takes its place in the batch. Lengths out of range are
// an error. Settle stops early, with ctx's error, when ctx ends.
func (p *Posterior) Settle(ctx context.Context, to Settling) error {
	if err := to.check(p.cloud.N); err != nil {
		return err
	}
	p.pack()
	w := &settling{Posterior: p, to: to, courses: make(map[int]*course)}
	for next := 0; w.done < len(p.images); {
		for ; len(w.active) < p.setup.Batch && next < len(p.images); next++ {
			w.active = append(w.active, next)
			w.courses[next] = w.newCourse(next)
		}
		if err := w.window(ctx); err != nil {
			return err
		}
		w.active = slices.DeleteFunc(w.active, w.end)
		w.say()
	}
	p.clipped = float64(w.clipped) / float64(w.kept)
	return nil
}

// settling is a call of Settle.
type settling struct {
	*Posterior
	to            Settling
	active        []int // images whose particles move
	courses       map[int]*course
	done          int // images
	kept, clipped int // moves of a particle
}

// end ends the course of image k if it is done.
func (w *settling) end(k int) bool {
	c := w.courses[k]
	if c.stage != done {
		return false
	}
	w.images[k] = w.inferred(c)
	w.done++
	w.kept += int(c.kept.moves) * w.cloud.N
	w.clipped += c.clipped
	delete(w.courses, k)
	return true
}

// newCourse begins the course of image k.
func (w *settling) newCourse(k int) *course {
	c := &course{kept: newSums(w.cloud.N, w.cloud.D, w.to.Cov)}
	if w.to.Decode {
		c.decoded = newDecoded(w.likelihood.Dim())
	}
	if w.to.DecodedESS > 0 && w.setup.Missing != nil {
		c.decoded.judge(w.setup.Missing.Row(w.first+k), w.cloud.N)
	}
	return c
}

// window makes the moves of a window, and decides what comes next for each image.
func (w *settling) window(ctx context.Context) error {
	p := w.Posterior
	p.begin(w.active)
	at := make([]*course, len(w.active))
	for i, k := range w.active {
		at[i] = w.courses[k]
	}
	add := pool.Group{N: len(at), Do: func(i int) { w.add(at[i], i) }}
	for range w.to.Window {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for i, c := range at {
			lo, hi := p.rows(i)
			h := float32(c.stepSize(&p.setup, w.to))
			for row := lo; row < hi; row++ {
				p.batch.H[row] = h
			}
		}
		p.drift()
		p.setup.Pool.Run(add)
		p.move()
		for i, c := range at {
			c.moves++
			c.all++
			if c.stage == keeping {
				c.clipped += p.clip[i]
			}
		}
	}
	if w.to.Decode {
		p.setup.Pool.Run(p.group(func(tile int) { w.decode(at, tile) }))
	}
	for _, c := range at {
		c.look(w.to)
	}
	return nil
}

// add adds the state of image i of the batch to what its course keeps.
func (w *settling) add(c *course, i int) {
	at := w.of(i)
	switch c.stage {
	case descending:
		energy := 0.0
		for n, loss := range at.data {
			energy += loss + float64(at.nll[n])
		}
		c.now.add(energy / float64(len(at.data)))
	case keeping:
		c.kept.add(at)
	}
}

func (w *settling) inferred(c *course) Inferred {
	r := c.kept.inferred()
	r.Moves, r.Settled, r.Decoded = c.all, c.settled, c.decoded
	if r.Decoded != nil {
		r.Decoded.finish()
	}
	return r
}

// say reports how many rows are done.
func (w *settling) say() {
	if w.setup.Progress == nil {
		return
	}
	w.setup.Progress(fmt.Sprintf("%s of %s rows", humanize.Comma(int64(w.first+w.done)),
		humanize.Comma(int64(w.setup.Images.Len()))))
}
