package trainer

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/checkpoint"
)

// FromAuto asks From for the newest whole checkpoint.
const FromAuto = "auto"

// From chooses the checkpoint that Resume goes on from: by name (step-000500) or step (500), or with
// FromAuto the newest whole one, with a warning if there is a newer damaged one. Without it, or with
// "", that is the newest one, and Resume fails if it is damaged.
func From(name string) Option { return func(t *Trainer) { t.from = name } }

// loadFrom fills the tensors from the checkpoint that was asked for, and tells whether it is the
// run's newest.
func (t *Trainer) loadFrom(into []checkpoint.Tensor) (meta checkpoint.Meta, dir string, newest bool, err error) {
	switch t.from {
	case "":
		if dir, err = checkpoint.Latest(t.writer.Dir); err == nil {
			meta, err = checkpoint.Load(dir, into)
		}
		if damaged := (*checkpoint.DamagedError)(nil); errors.As(err, &damaged) && damaged.Whole != "" {
			err = fmt.Errorf("%w; to go on from there: --from %s, or --from %s",
				err, filepath.Base(damaged.Whole), FromAuto)
		}
		return meta, dir, true, err
	case FromAuto:
		return t.loadWhole(into)
	}
	found, err := checkpoint.Find(t.writer.Dir, t.from)
	if err != nil {
		return meta, "", false, err
	}
	meta, err = checkpoint.Load(found.Dir, into)
	return meta, found.Dir, false, err
}

// loadWhole is loadFrom of the newest whole checkpoint.
func (t *Trainer) loadWhole(into []checkpoint.Tensor) (meta checkpoint.Meta, dir string, newest bool, err error) {
	all, err := checkpoint.List(t.writer.Dir)
	if err != nil {
		return meta, "", false, err
	}
	if len(all) == 0 {
		_, err = checkpoint.Latest(t.writer.Dir)
		return meta, "", false, err
	}
	var damage error
	for i, c := range all {
		meta, err = checkpoint.Load(c.Dir, into)
		if err == nil {
			if damage != nil {
				t.warn(fmt.Sprintf("%v\ngoing on from %s", damage, filepath.Base(c.Dir)))
			}
			return meta, c.Dir, i == 0, nil
		}
		if one := (*checkpoint.DamagedError)(nil); i > 0 && errors.As(err, &one) {
			err = one.Err // what else there is was said with the first
		}
		damage = errors.Join(damage, err)
		if !errors.Is(err, checkpoint.ErrDamaged) {
			break
		}
	}
	return meta, "", false, damage
}
