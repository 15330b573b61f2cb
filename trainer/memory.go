package trainer

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// ErrMemory is wrapped by the error of a configuration that needs more memory than the machine has.
var ErrMemory = errors.New("not enough memory")

// needs is the memory that a run needs.
type needs struct {
	run.Memory
	cloud int64 // bytes of the particles in the sum, which could be in a file instead
}

// The part "program" is what the process uses before the run: the runtime, code, and whatever else
// a program that uses this package holds. During a run it grows by code and tables at their first
// use (programGrowth), and for each worker by its stacks and the blocks of the product under way
// (workerGrowth).
const programGrowth, workerGrowth = 6 << 20, 1 << 20

// estimate adds up the memory of a run of c, which must be valid, on the images, in a process that
// uses program bytes already and is the first of so many ranks.
func estimate(
	c config.Config, images *data.Found, program int64, ranks int,
) (needs, error) {
	workers := cmp.Or(c.Threads, pool.DefaultWorkers())
	trained := data.Training(images.Len, c.Holdout)
	datapoints := c.CountDatapoints(trained)
	m, err := method.Memory(c.Method, c.Options, method.Scale{
		Datapoints:  datapoints,
		Batch:       min(c.Batch, datapoints),
		Tile:        c.Tile,
		Wave:        c.Wave,
		Lanes:       c.Lanes,
		Ranks:       ranks,
		Picture:     images.Shape,
		Workers:     workers,
		CloudInFile: c.Cloud == config.InFile,
	})
	if err != nil {
		return needs{}, err
	}
	parts := memory.Parts{
		{Name: "program", Bytes: program + programGrowth + int64(workers)*workerGrowth},
		dataPart(c, images),
	}
	parts = append(parts, m.Held...)
	// Reports, placing the particles, and loading the data are never in memory at the same time.
	following, err := heldOutBytes(c, countHeldOut(images.Len-trained, datapoints), workers,
		images.Shape)
	if err != nil {
		return needs{}, err
	}
	m.Diagnose = max(m.Diagnose, m.Generator+following) // one after the other
	transient := memory.Part{Name: "reports", Bytes: reportBytes(c, m, trained, images.Shape)}
	for _, part := range []memory.Part{
		{Name: "start", Bytes: m.Start}, {Name: "loading", Bytes: images.Loading},
	} {
		if part.Bytes > transient.Bytes {
			transient = part
		}
	}
	parts = append(parts, transient)
	estimated := needs{Memory: run.Memory{Parts: parts, Sum: parts.Total()}}
	if c.Cloud == config.InFile {
		estimated.Disk = m.Cloud
	} else {
		estimated.cloud = m.Cloud
	}
	return estimated, nil
}

// dataPart is the memory of the data and of their orders.
func dataPart(c config.Config, images *data.Found) memory.Part {
	bytes := images.Bytes + data.OrderBytes(images.Len, c.Holdout, c.Flip)
	if images.Stays() {
		return memory.Part{Name: dataStay, Bytes: bytes}
	}
	return memory.Part{Name: "data", Bytes: bytes}
}

// reportBytes is the memory of diagnostics, those of held-out rows among them, and of evaluations.
// An evaluation holds the principal components; beside them it fits them, then draws samples and
// measures their distance or makes the pictures, so that only the largest of these and of the
// diagnostics counts. Without evaluations there are only the diagnostics.
func reportBytes(c config.Config, m method.Footprint, trained int, shape data.Shape) int64 {
	if c.EvalSamples == 0 {
		return m.Diagnose
	}
	conditions := 0
	if c.Conditional() {
		conditions = c.Classes
	}
	samples, first, last := countSamples(c, conditions)
	dim, grid := shape.Dim(), last-first
	pairs, view := min(pairImages, trained), run.View(c, shape)
	pictures := memory.Array[float32](grid+2*pairs, dim) +
		max(view.GridBytes(grid, gridColumns), view.PairsBytes(pairs, gridColumns))
	generating := m.Generator + memory.Array[float32](samples, c.Latent+conditions) +
		max(pca.DistanceBytes(c.EvalSamples, dim, fdComponents), pictures, figure.StackBytes)
	generating += columnBytes(c, trained, dim)
	return pca.Bytes(dim, fdComponents) +
		max(pca.FitBytes(trained, dim, fdComponents), generating, m.Diagnose)
}

// dataStay is the part "data" where it is but labels, the order of rows and digests.
const dataStay = "data (rows stay in the file)"

// remedies are what would make each part smaller.
var remedies = map[string]string{
	"data":        "smaller images (size, gray) or fewer of them",
	dataStay:      "fewer rows",
	"loading":     "smaller files",
	"particles":   "fewer particles or a smaller latent",
	"activations": "a smaller wave or batch, fewer particles or score_draws, or narrower networks",
	"start":       "--cloud-init normal",
	"reports":     "fewer eval_samples (0: no reports) or smaller images",
}

// remedy says what would make the named part smaller.
func (m needs) remedy(part string) string {
	if part == "particles" && m.cloud > 0 {
		return fmt.Sprintf("--cloud file, which keeps %s of them on disk and is slower, %s",
			memory.Human(m.cloud), remedies[part])
	}
	return cmp.Or(remedies[part], "narrower networks")
}

// addressSpace limits a run on systems that do not report the memory of the machine.
const addressSpace = 1 << 46

// check refuses a run that does not fit the machine's memory (0: unknown), and warns of one
// that may not.
func (m needs) check(machine int64) (warning string, err error) {
	has := "the machine has " + memory.Human(machine) + memory.Under()
	if machine == 0 {
		machine, has = addressSpace, "no machine has so much"
	}
	if m.Sum > machine {
		largest := m.Parts.Largest().Name
		return "", fmt.Errorf("%w: the run needs %v, and %s; most goes to %s: try %s",
			ErrMemory, m.Parts, has, largest, m.remedy(largest))
	}
	if run.PeakTolerance*float64(m.Sum) > float64(machine) {
		return fmt.Sprintf("the run needs %v, at its peak up to %.1f times as much, and %s",
			m.Parts, run.PeakTolerance, has), nil
	}
	return "", nil
}
