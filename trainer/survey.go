package trainer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
)

// Rows stay in their file where the format allows it (data.Found.Stay) on several ranks, each of
// which reads its own, and where they would take more than data.MostKept of a machine that trains
// alone. Before the training all of them have to be looked at once: each rank surveys the blocks
// that its datapoints are in, and the leader merges what they say.
//
// So ranks may read copies of a file, on their own disks: each row that a rank trains on was hashed
// there, blocks that several ranks train on must have the same digest on each, and the fingerprint,
// by which a run that is resumed knows its data, is of what was trained on. Besides, sampled rows
// that are evenly spread over all (those that cloud_init = pca reads on every rank) are compared
// with those of the first rank.
const sampled = 4096

// leaves reports whether rows that were found stay in their file.
func (t *Trainer) leaves(f *data.Found) bool {
	return f.CanStay() && (t.size() > 1 || f.Bytes > cmp.Or(t.data.most, data.MostKept()))
}

// large is the bytes of data on each rank from which it is said how to have fewer.
const large = 1 << 30

// sayWhere says where the rows are, unless they are in the memory of a single process.
func (t *Trainer) sayWhere(f *data.Found) {
	switch {
	case f.Stays():
		t.message("Rows stay in the file, which must be left as it is meanwhile")
	case t.size() > 1 && f.Bytes > large:
		t.warn(fmt.Sprintf("each rank reads and keeps all %s of the data; %s",
			memory.Human(f.Bytes), f.Remedy()))
	}
}

// survey surveys all rows, with the other ranks if there are any.
func (t *Trainer) survey(ctx context.Context, u *data.Unsettled) (whole data.Survey, err error) {
	if t.team == nil {
		return u.Survey(ctx, data.Range(0, u.Blocks()))
	}
	p, err := t.plans(located(t.cfg))
	if err != nil {
		return whole, err
	}
	if ends := u.Ends(); ends != [2]float64{} {
		p.Ends = &ends
	}
	err = t.team.do(order{Do: toSurvey, Build: &p, Rows: u.String()}, func() error {
		var own share
		if err := t.team.together(func() (err error) {
			own, err = t.surveyOwn(ctx, u)
			return err
		}); err != nil {
			return err
		}
		var all []share
		if all, t.team.err = shareAll(t.team.comm, own); t.team.err != nil {
			return t.team.err
		}
		whole, err = merge(all, t.cfg.Data)
		return err
	})
	return whole, err
}

// located returns a configuration with which data are found from any folder.
func located(c config.Config) config.Config {
	for _, path := range []*string{&c.Data, &c.Labels} {
		if absolute, err := filepath.Abs(*path); err == nil && *path != "" &&
			config.IsPlainText(absolute) {
			*path = absolute
		}
	}
	return c
}

// share is what a rank says of its part of the rows.
type share struct {
	Survey data.Survey `json:"survey"`
	Sample []byte      `json:"sample"` // digest of rows that are the same on all ranks
}

// surveyOwn makes this rank's share of a survey.
func (t *Trainer) surveyOwn(ctx context.Context, u *data.Unsettled) (s share, err error) {
	train, _, err := data.Split(u.Rows(), t.cfg.Holdout, t.cfg.Seed)
	if err != nil {
		return s, err
	}
	points, err := t.cfg.Datapoints(train)
	if err != nil {
		return s, err
	}
	n := min(sampled, points.Len())
	rows := make([]int, n)
	for i := range rows {
		rows[i] = points.Origin(i * points.Len() / n).Row
	}
	if s.Sample, err = u.Sample(ctx, rows); err != nil {
		return s, err
	}
	s.Survey, err = u.Survey(ctx, ownBlocks(points, u.Blocks(), t.cfg.Lanes, t.ranks))
	return s, err
}

// ownBlocks returns the blocks that a rank surveys: those that its datapoints are in. Those in
// which nothing is trained on are the first rank's, which evaluates.
func ownBlocks(points data.Dataset, blocks, lanes int, c comm.Comm) (own []int) {
	first, last := comm.Own(lanes, c.Size(), c.Rank())
	first, _ = comm.Block(points.Len(), lanes, first)
	_, last = comm.Block(points.Len(), lanes, last-1)
	trained, mine := make([]bool, blocks), make([]bool, blocks)
	for i := range points.Len() {
		b := points.Origin(i).Row / data.BlockRows
		trained[b] = true
		mine[b] = mine[b] || first <= i && i < last
	}
	for b := range blocks {
		if mine[b] || !trained[b] && c.Rank() == 0 {
			own = append(own, b)
		}
	}
	return own
}

// merge puts the shares of all ranks together, which must be of the same data.
func merge(all []share, source string) (data.Survey, error) {
	surveys := make([]data.Survey, len(all))
	for rank, s := range all {
		if surveys[rank] = s.Survey; !bytes.Equal(s.Sample, all[0].Sample) {
			return data.Survey{}, fmt.Errorf("data: rank %d has other rows in %s than rank 0; "+
				"expected the same file on all ranks, or copies of it", rank, source)
		}
	}
	whole, err := data.Merge(surveys...)
	if differ := (*data.Differ)(nil); errors.As(err, &differ) {
		err = fmt.Errorf("data: rank %d has %w of %s than rank %d; expected the same file on all "+
			"ranks, or copies of it", differ.Other, err, source, differ.One)
	}
	return whole, err
}

// checkData returns an error if rows could not be read from their file on some rank, or if it has
// changed.
func (t *Trainer) checkData() error {
	own := data.Err(t.data.points)
	if t.team == nil || !t.data.stay {
		return own
	}
	return t.team.do(order{Do: toCheck}, func() error {
		return t.team.together(func() error { return own })
	})
}

// said is what a rank tells the others after a step, or what all have told.
type said struct {
	stops  bool // there was a signal; of all: to one of them
	stored bool // its shard is stored; of all: those of all
}

// afterStep tells the ranks what each has to say, and of rows that one could not read: the error is
// its own, or on the others an *Elsewhere.
func afterStep(c comm.Comm, own said, failed error) (all said, unread, broken error) {
	const stops, stored, cannotRead = 1, 2, 4
	flags := make([]float64, c.Size())
	mine := &flags[c.Rank()]
	if own.stops {
		*mine += stops
	}
	if own.stored {
		*mine += stored
	}
	if failed != nil {
		*mine += cannotRead
	}
	if err := c.Gather(flags); err != nil {
		return all, nil, err
	}
	all.stored = true
	for _, flag := range flags {
		bits := int(flag)
		if bits&cannotRead > 0 {
			unread, broken = comm.Agree(c, failed)
			return said{}, unread, broken
		}
		all.stops = all.stops || bits&stops > 0
		all.stored = all.stored && bits&stored > 0
	}
	return all, nil, nil
}
