package compare

import (
	"cmp"
	"fmt"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// checkMemory returns an error if the machine cannot hold all contestants at once, each twice, as
// their timing needs. The memory of each run is checked when it begins.
func checkMemory(configs []config.Config, train data.Dataset) error {
	var sum int64
	for _, c := range configs {
		points := c.CountDatapoints(train.Len())
		m, err := method.Memory(c.Method, c.Options, method.Scale{
			Datapoints: points, Batch: min(c.Batch, points), Tile: c.Tile, Wave: c.Wave,
			Lanes: c.Lanes, Picture: train.Shape(),
			Workers: cmp.Or(c.Threads, pool.DefaultWorkers()),
		})
		if err != nil {
			return err
		}
		sum += 2 * memory.Parts(m.Held).Total()
	}
	if machine := memory.Machine(); machine > 0 && sum > machine {
		return fmt.Errorf("%w: timing the contestants needs %s, and the machine has %s; compare "+
			"fewer of them at a time",
			trainer.ErrMemory, memory.Human(sum), memory.Human(machine)+memory.Under())
	}
	return nil
}
