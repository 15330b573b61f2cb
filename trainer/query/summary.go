package query

import (
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/infer"
)

// tally adds up what a Summary tells.
type tally struct {
	unsettled, rows int
	moves, clipped  float64
	ess             []float64
}

func (t *tally) add(p *infer.Posterior) {
	for _, r := range p.Images() {
		t.rows++
		t.moves += float64(r.Moves)
		t.ess = append(t.ess, r.ESS)
		if !r.Settled {
			t.unsettled++
		}
	}
	t.clipped += p.Clipped() * float64(len(p.Images()))
}

func (t *tally) summary() Summary {
	slices.Sort(t.ess)
	n := float64(t.rows)
	return Summary{
		Rows: t.rows, Unsettled: t.unsettled, Moves: t.moves / n, Clipped: t.clipped / n,
		ESS: t.ess[len(t.ess)/2],
	}
}

// manyClipped is the share of clipped moves above which positions are no draws from the posterior.
const manyClipped = 0.02

// Warnings says what makes the answers doubtful, if anything.
func (s Summary) Warnings() (texts []string) {
	if s.Unsettled > 0 {
		texts = append(texts, fmt.Sprintf("the energy of %s of %s rows was still falling when "+
			"their particles had to stop: their answers are those of worse latents than the "+
			"posterior's; let them move longer (--moves)",
			humanize.Comma(int64(s.Unsettled)), humanize.Comma(int64(s.Rows))))
	}
	if s.Clipped > manyClipped {
		texts = append(texts, fmt.Sprintf("%.1f %% of the moves were clipped: the decoder is too "+
			"steep for their step size, and the draws are narrower than the posterior",
			100*s.Clipped))
	}
	return texts
}

// String tells how the rows were inferred.
func (s Summary) String() string {
	text := fmt.Sprintf("%s rows, %.0f moves of each in the mean", humanize.Comma(int64(s.Rows)),
		s.Moves)
	if !math.IsNaN(s.ESS) {
		text += fmt.Sprintf(", worth %.0f independent draws in the median", s.ESS)
	}
	return text
}
