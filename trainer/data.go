package trainer

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/progress"
)

// images are the data of the run.
type images struct {
	given       string // cfg.Data as given; cfg has the absolute path once the data are read
	read        data.Summary
	fingerprint string
	schema      *columns.Schema // of a table; before it is read, that of the stored run
	most        int64           // bytes of data that are kept in memory; 0: the default
	stay        bool            // the rows stay in their file
	all         data.Dataset
	train, held data.Dataset  // its parts
	points      data.Dataset  // the datapoints: train and, with flip, its mirror images
	known       float64       // mean number of a datapoint's numbers that are known
	batches     *data.Batches // of points
	classes     data.Classes  // numbered as conditions; none unless the configuration has these
	conditions  data.Rows     // of the datapoints, as given or their classes; nil: none
}

// readSlowly reads the data, with messages if that takes long: from a large file, from very many
// pictures, or from a slow disk.
func (t *Trainer) readSlowly(ctx context.Context) (all data.Dataset, err error) {
	reporter := progress.Reporter{Report: t.message, After: t.reports.after}
	err = reporter.Reading(t.cfg.Data, func(d *progress.Task) (err error) {
		all, err = t.readData(ctx, d)
		return err
	})
	return all, err
}

// readData reads the data, unless their headers show that the run does not fit the machine. It sets
// t.memory and t.data.read.
func (t *Trainer) readData(ctx context.Context, d *progress.Task) (data.Dataset, error) {
	warn := func(s string) { d.Do(func() { t.warn(s) }) }
	program, _ := memory.Peak()
	o := t.cfg.DataOptions(warn, d.At)
	o.TableSchema = t.data.schema
	asked := t.cfg
	images, err := t.find(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := t.plan(asked, images, false, program); err != nil {
		return nil, err
	}
	warning, err := t.memory.check(memory.Machine())
	if warning != "" {
		warn(warning)
	}
	if err != nil {
		return nil, err
	}
	onDisk, err := t.checkDisk()
	if err != nil {
		return nil, err
	}
	all, err := images.Read(ctx)
	if err != nil {
		return nil, err
	}
	t.data.all = all
	// Again, for the images as they were read: the headers sufficed only for the check.
	if err := t.plan(asked, images, true, program); err != nil {
		return nil, err
	}
	networks, err := method.Describe(t.cfg, images.Shape)
	if err != nil {
		return nil, err
	}
	t.data.read, t.data.schema = images.Summary, data.SchemaOf(all)
	advice := method.Advice(asked, t.cfg, images.Shape)
	d.Do(func() {
		t.sayPlan(data.TableOf(all), networks, advice, onDisk)
		t.sayWhere(images)
	})
	return all, nil
}

// find finds the data, whose rows may stay in their file.
func (t *Trainer) find(ctx context.Context, o data.Options) (*data.Found, error) {
	images, err := data.Find(ctx, t.cfg.Data, o)
	if err != nil {
		return nil, err
	}
	if t.cfg.Flip {
		if err := images.Shape.CheckFlip(); err != nil {
			return nil, fmt.Errorf("data: %s: %w", t.cfg.Data, err)
		}
	}
	if t.data.stay = t.leaves(images); t.data.stay {
		images.Stay(t.survey)
	}
	return images, nil
}

// sayPlan reports what was read and what will be trained. table is nil unless it was one.
func (t *Trainer) sayPlan(table *columns.Table, networks, advice, onDisk string) {
	t.message(t.data.read.String())
	if table != nil {
		t.message(table.Describe())
	}
	t.message("Networks: " + networks)
	if advice != "" {
		t.warn(advice)
	}
	t.message("Memory: " + t.memory.Parts.String())
	if onDisk != "" {
		t.message(onDisk)
	}
}

// divide splits the images that were read into training and held-out ones, and the datapoints into
// minibatches.
func (t *Trainer) divide(all data.Dataset) (err error) {
	if t.data.train, t.data.held, err = data.Split(all, t.cfg.Holdout, t.cfg.Seed); err != nil {
		return err
	}
	if err := t.setDatapoints(); err != nil {
		return err
	}
	if err := t.setConditions(all); err != nil || !t.cfg.Flip {
		return err
	}
	t.message(fmt.Sprintf("Flipped too: %s datapoints of %s training images",
		humanize.Comma(int64(t.data.points.Len())), humanize.Comma(int64(t.data.train.Len()))))
	return nil
}

// setDatapoints sets what the training images stand for, and the minibatches.
func (t *Trainer) setDatapoints() (err error) {
	if t.data.points, err = t.cfg.Datapoints(t.data.train); err != nil {
		return err
	}
	t.data.known = float64(t.data.points.Shape().Dim())
	if missing := data.MissingOf(t.data.points); missing != nil {
		t.data.known = missing.Known()
	}
	m := t.data.points.Len()
	if t.cfg.Lanes > m {
		return fmt.Errorf("lanes = %d: expected at most %d, a lane for each datapoint",
			t.cfg.Lanes, m)
	}
	t.data.batches = data.NewLaneBatches(m, t.cfg.Batch, t.cfg.Lanes, t.cfg.Seed)
	return nil
}

// setConditions numbers the classes of all images, and sets the conditions of the datapoints.
func (t *Trainer) setConditions(all data.Dataset) (err error) {
	if t.data.conditions = t.like; t.like != nil || !t.cfg.Conditional() {
		return nil
	}
	if t.data.classes, err = data.ClassesOf(all); err != nil {
		return err
	}
	t.data.conditions = t.data.classes.Conditions(t.data.points, t.cfg.Classes)
	return nil
}

// conditionsOf returns the conditions of some datapoints; nil without conditions.
func (t *Trainer) conditionsOf(index []int) []float32 {
	if t.data.conditions == nil {
		return nil
	}
	x := make([]float32, len(index)*t.cfg.Classes)
	t.data.conditions.Gather(x, index)
	return x
}

// plan makes the choices that the configuration leaves to the data, and estimates the memory. The
// number of classes is known once the data have been read.
func (t *Trainer) plan(
	asked config.Config, images *data.Found, read bool, program int64,
) (err error) {
	asked = asked.On(images.Kind, images.Likelihood)
	t.cfg, err = method.Resolve(asked, images.Shape, t.given)
	if err == nil && read {
		t.cfg = t.cfg.AsRead(images.Summary)
	}
	if err == nil && read && t.like == nil {
		t.cfg, err = method.ResolveClasses(t.cfg, images.Summary.Classes)
	}
	if err == nil {
		t.cfg = method.Suited(t.cfg, asked, data.Training(images.Len, t.cfg.Holdout), t.given)
		t.memory, err = estimate(t.cfg, images, program, t.size())
	}
	return err
}

// warnOfIdle warns of keys that were given and that the networks do not read.
func (t *Trainer) warnOfIdle() {
	if t.given == nil {
		return
	}
	if idle := method.Idle(t.cfg, t.given); len(idle) > 0 {
		t.warn("without effect on these networks: " + strings.Join(idle, ", "))
	}
}

// keepPaths makes the paths of the configuration absolute, so that the run can be resumed from any
// folder.
func (t *Trainer) keepPaths(all data.Dataset) {
	if !slices.Contains(data.Embedded(), t.cfg.Data) {
		t.cfg.Data = t.absolute(t.cfg.Data)
	}
	if t.cfg.Labels != "" && !data.IsLabelColumn(all, t.cfg.Labels) {
		t.cfg.Labels = t.absolute(t.cfg.Labels)
	}
	if t.cfg.Schema != "" {
		t.cfg.Schema = t.absolute(t.cfg.Schema)
	}
	if t.cfg.CloudDir != "" {
		t.cfg.CloudDir = t.absolute(t.cfg.CloudDir)
	}
}

// absolute is the path from the root, unless a configuration file cannot hold that.
func (t *Trainer) absolute(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil || !config.IsPlainText(absolute) {
		t.warn(fmt.Sprintf("the absolute path of %s cannot be stored: the run goes on from this "+
			"folder only", path))
		return path
	}
	return absolute
}
