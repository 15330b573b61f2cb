package trainer

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/checkpoint"
)

// FromAuto chooses the newest whole checkpoint.
const FromAuto = "auto"

// From chooses the checkpoint that Resume loads: by name (step-000500), by step (500), or with
// FromAuto the newest whole one, with a warning if a newer one is damaged. Without From, or with
// "", Resume loads the newest, and fails if that is damaged.
func From(name string) Option { return func(t *Trainer) { t.from = name } }

// loadFrom fills the tensors from the checkpoint that From chose.
func (t *Trainer) loadFrom(into []checkpoint.Tensor) (loaded, error) {
	switch t.from {
	case "":
		return t.loadNewest(into)
	case FromAuto:
		return t.loadWhole(into)
	}
	found, err := checkpoint.Find(t.writer.Dir, t.from)
	if err != nil {
		return loaded{}, err
	}
	meta, err := checkpoint.Load(found.Dir, into)
	return loaded{meta: meta, dir: found.Dir}, err
}

// loadNewest is loadFrom of the newest checkpoint.
func (t *Trainer) loadNewest(into []checkpoint.Tensor) (from loaded, err error) {
	from.newest = true
	if from.dir, err = checkpoint.Latest(t.writer.Dir); err == nil {
		from.meta, err = checkpoint.Load(from.dir, into)
	}
	damaged := (*checkpoint.DamagedError)(nil)
	if errors.As(err, &damaged) && damaged.Whole != "" {
		err = fmt.Errorf("%w; to go on from there: --from %s, or --from %s",
			err, filepath.Base(damaged.Whole), FromAuto)
	}
	return from, err
}

// loadWhole is loadFrom of the newest whole checkpoint.
func (t *Trainer) loadWhole(into []checkpoint.Tensor) (loaded, error) {
	all, err := checkpoint.List(t.writer.Dir)
	if err != nil {
		return loaded{}, err
	}
	if len(all) == 0 {
		_, err = checkpoint.Latest(t.writer.Dir)
		return loaded{}, err
	}
	var damage error
	for i, c := range all {
		meta, err := checkpoint.Load(c.Dir, into)
		if err == nil {
			if damage != nil {
				t.warn(fmt.Sprintf("%v\ngoing on from %s", damage, filepath.Base(c.Dir)))
			}
			return loaded{meta, c.Dir, i == 0}, nil
		}
		if one := (*checkpoint.DamagedError)(nil); i > 0 && errors.As(err, &one) {
			err = one.Err // the first error names the alternative
		}
		damage = errors.Join(damage, err)
		if !errors.Is(err, checkpoint.ErrDamaged) {
			break
		}
	}
	return loaded{}, damage
}
