package run

import (
	"context"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/progress"
)

// Data is the data of a run, read again.
type Data struct {
	All         data.Dataset
	Train, Held data.Dataset // its parts
	Points      data.Dataset // what the run trained on: Train and, with flip, its mirror images
	Classes     data.Classes // that are conditions; none for a model without
	Fingerprint string       // of All
}

// ReadData reads the run's data, which must be those that it was trained on. path is where they are
// now; "": where they were. warn receives warnings for the user. Rows beyond Keep bytes stay in
// their file, if they can (data.Err, data.Close).
func (r *Run) ReadData(
	ctx context.Context, path string, report progress.Reporter, warn func(string),
) (d Data, err error) {
	c := r.Config
	if path != "" {
		c.Data = path
	} else if err := r.CheckDataPath(); err != nil {
		return d, err
	}
	var read data.Summary
	err = report.Reading(c.Data, func(t *progress.Task) error {
		said := func(text string) { t.Do(func() { warn(text) }) }
		o, err := r.DataOptions(said, t.At)
		if err != nil {
			return err
		}
		images, err := data.Find(ctx, c.Data, o)
		if err != nil {
			return err
		}
		if r.Keep > 0 && images.Bytes > r.Keep {
			images.Stay(nil)
		}
		if d.All, err = images.Read(ctx); err != nil {
			return err
		}
		read = images.Summary
		d.Fingerprint, err = r.Fingerprint(ctx, d.All)
		return err
	})
	if err != nil {
		return d, err
	}
	if err := r.CheckData(c.Data, read, d.Fingerprint); err != nil {
		return d, err
	}
	if d.Classes, err = r.Classes(d.All); err != nil {
		return d, err
	}
	if d.Train, d.Held, err = data.Split(d.All, c.Holdout, c.Seed); err != nil {
		return d, err
	}
	d.Points, err = c.Datapoints(d.Train)
	return d, err
}
