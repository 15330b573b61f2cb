package trainer

import (
	"context"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/progress"
)

// readSlowly reads the data, and says so when that takes long: of a large file, of very many
// pictures, of a disk far away.
func (t *Trainer) readSlowly(ctx context.Context) (all data.Dataset, err error) {
	tell := func(what string) { t.message("still reading " + what) }
	err = progress.Reporter{Report: tell, After: t.after}.Run(func(d *progress.Task) (err error) {
		all, err = t.readData(ctx, d)
		return err
	})
	return all, err
}
