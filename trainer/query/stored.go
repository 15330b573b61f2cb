package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// Stored is the model of a stored run.
type Stored struct {
	*Model
	run     *run.Run
	sampler *run.Generator
	schema  *columns.Schema
}

// Open reads the model from the newest checkpoint of a run: its averaged weights if it has any and
// raw is not set. threads = 0 means all cores.
func Open(r *run.Run, raw bool, threads int) (*Stored, error) {
	g, err := r.Generator(!raw, threads)
	if err != nil {
		return nil, err
	}
	s := &Stored{Model: New(g.Generator, r.Config, g.Pool()), run: r, sampler: g}
	start, err := r.Start()
	if err == nil {
		s.schema, err = r.Schema()
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	s.UseComponents(start)
	return s, nil
}

// Schema is that of the table that the run was trained on; nil if that was none. Rows are encoded
// by it, and decoded.
func (s *Stored) Schema() *columns.Schema { return s.schema }

// Elsewhere says why StartAuto is not where the particles of the training started; "" where it is.
func (s *Stored) Elsewhere() string {
	if !s.run.StartsAtComponents() || s.start != nil {
		return ""
	}
	return fmt.Sprintf("%s does not have the principal components at which its particles started "+
		"(it was trained or exported by an earlier version): those of other rows start at N(0, I)",
		s.run.Dir)
}

// Generator is what samples the model, until Close.
func (s *Stored) Generator() *run.Generator { return s.sampler }

// Close ends the workers.
func (s *Stored) Close() { s.sampler.Close() }

// Shape is the shape of an image.
func (s *Stored) Shape() data.Shape { return s.sampler.Shape() }

// View draws rows like those of the run's data.
func (s *Stored) View() picture.View { return s.sampler.View() }

// Config is the run's configuration.
func (s *Stored) Config() config.Config { return s.run.Config }

// Read says how data are read.
type Read struct {
	Path   string // of the data; for HeldOut "": where they were
	Labels string // file of their labels; "": those that come with the images
	// Missing makes NaN in arrays of floats a missing value; otherwise it is an error.
	Missing bool

	Report progress.Reporter
	Warn   func(string) // receives warnings for the user

	most int64 // bytes of rows that are kept in memory; 0: data.MostKept
}

// Read reads rows that the run need not have seen, as it read its own: with its size, channels and
// range. Large data stay in their file, if they can (data.Found.Stay): data.Close closes it.
func (s *Stored) Read(ctx context.Context, how Read) (data.Dataset, error) {
	var rows data.Dataset
	err := how.Report.Reading(how.Path, func(t *progress.Task) error {
		warn := func(text string) { t.Do(func() { how.Warn(text) }) }
		o, err := s.run.DataOptions(warn, t.At)
		if err != nil {
			return err
		}
		o.Labels, o.Missing = how.Labels, o.Missing || how.Missing
		found, err := data.Find(ctx, how.Path, o)
		if err != nil {
			return err
		}
		if found.Bytes > how.kept() {
			found.Stay(nil)
		}
		rows, err = found.Read(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if rows.Shape() != s.Shape() {
		return nil, fmt.Errorf("data: %s holds %s of %v; expected %v, as %s was trained on",
			how.Path, s.Config().As.Words("images"), rows.Shape(), s.Shape(), s.run.Dir)
	}
	return rows, nil
}

func (r *Read) kept() int64 { return cmp.Or(r.most, data.MostKept()) }

// Cells opens the table at a path, or the run's own for "", to read its cells as they are written:
// row i of what Read or HeldOut return is its row Origin.Row.
func (s *Stored) Cells(ctx context.Context, path string) (columns.Source, error) {
	o, err := s.run.DataOptions(nil, nil)
	if err != nil {
		return nil, err
	}
	return data.OpenCells(ctx, cmp.Or(path, s.run.Config.Data), o)
}

// HeldOut reads the rows of the run's own data that were held out of training. Large data stay in
// their file, as those of Read do.
func (s *Stored) HeldOut(ctx context.Context, how Read) (data.Dataset, error) {
	s.run.Keep = how.kept()
	own, err := s.run.ReadData(ctx, how.Path, how.Report, how.Warn)
	if err != nil {
		return nil, err
	}
	if own.Held.Len() == 0 {
		return nil, fmt.Errorf("%s held nothing out of training (holdout = 0): give rows with "+
			"--data", s.run.Dir)
	}
	return own.Held, nil
}

// Rows is what is asked about the rows of ds: with what is missing of them and, for a model with
// classes, their classes as conditions. Classes that the run does not know are an error; rows
// without a label have no condition.
func (s *Stored) Rows(ds data.Dataset) (Rows, error) {
	r := Rows{Images: ds, Missing: data.MissingOf(ds)}
	known := s.sampler.Classes()
	if known.Len() == 0 {
		return r, nil
	}
	theirs, err := data.ClassesOf(ds)
	if errors.Is(err, data.ErrNoLabels) {
		return r, nil
	}
	labelled := relabelled{ds, map[int]int{}}
	for i, name := range theirs.Names {
		class, err := known.Find(name)
		if err != nil {
			return Rows{}, fmt.Errorf("labels: %s has the class %q; expected those that %s was "+
				"trained on: %s", ds.Name(), name, s.run.Dir, strings.Join(known.Names, ", "))
		}
		labelled.to[theirs.Labels[i]] = known.Labels[class]
	}
	r.Conditions = known.Conditions(labelled, s.generator.Conditions())
	return r, nil
}

// relabelled is data whose classes have the labels that the run's data have for them: the same
// names may be numbered otherwise.
type relabelled struct {
	data.Dataset
	to map[int]int // a label of the run's data for each label of the Dataset
}

// Label implements data.Dataset.
func (r relabelled) Label(i int) int {
	if label, known := r.to[r.Dataset.Label(i)]; known {
		return label
	}
	return -1
}
