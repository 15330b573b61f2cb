package export

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// Imported is a model that was read from an export, to be stored as a run.
type Imported struct {
	config config.Config
	from   string // the export, as an absolute path
	Description
	schema  *columns.Schema     // nil: not of a table
	tensors []checkpoint.Tensor // of a checkpoint
	rows    []run.Row           // of the particles; nil: there are none
	start   *method.Components  // nil: there are none
}

// Config is the configuration of the training that made the model, with every key.
func (m *Imported) Config() config.Config { return m.config }

// Load reads the model and compares the file with its checksums. Errors name the file, the tensor
// and what was expected of it. No memory is taken for a tensor before the file is known to have it.
func (f *File) Load(ctx context.Context) (*Imported, error) {
	c, err := config.ParseWhole(f.path+": config", []byte(f.Description.Config))
	if err != nil {
		return nil, err
	}
	if err := method.Validate(c); err != nil {
		return nil, fmt.Errorf("%s: config:\n%w", f.path, err)
	}
	if err := f.Verify(ctx); err != nil {
		return nil, err
	}
	nets, err := method.NewModel(c.Method, c.Options, data.Shape(f.Data.Shape.Layer()))
	if err != nil {
		return nil, fmt.Errorf("%s: config: %w", f.path, err)
	}
	m := &Imported{config: c, from: f.path, Description: f.Description}
	if m.schema, err = f.Description.schema(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	if m.tensors, err = f.parameters(&nets, c.Options); err != nil {
		return nil, err
	}
	cloud, err := f.readCloud(nets.Decoder.In())
	if err != nil {
		return nil, err
	}
	if cloud != nil {
		m.tensors, m.rows = append(m.tensors, cloud.z), cloud.rows
	}
	if m.start, err = f.readStart(c.Options, data.Shape(f.Data.Shape.Layer())); err != nil {
		return nil, err
	}
	m.from, err = filepath.Abs(f.path)
	return m, err
}

// schema returns the schema of the table that the model was trained on; nil if that was no table.
func (d Description) schema() (*columns.Schema, error) {
	if d.Schema == "" {
		return nil, nil
	}
	s, err := columns.ParseSchema([]byte(d.Schema))
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return s, nil
}

// parameters reads the parameters of the networks, as the tensors of a checkpoint.
func (f *File) parameters(
	nets *generate.Model, o config.Options,
) ([]checkpoint.Tensor, error) {
	all := parts(nets)
	for _, p := range all {
		if err := f.require(p.name, "F32", transposed(p.shape, p.axes)); err != nil {
			return nil, err
		}
	}
	tensors := method.Parameters(nets, o, f.Weights == Averaged)
	var into []checkpoint.Tensor
	for _, p := range all {
		into = append(into, checkpoint.Tensor{
			Name: p.name, Shape: transposed(p.shape, p.axes), F32: make([]float32, p.hi-p.lo),
		})
	}
	if err := f.read(into); err != nil {
		return nil, err
	}
	for i, p := range all {
		transpose(p.values(), into[i].F32, into[i].Shape, inverse(p.axes))
	}
	return tensors, f.counts(nets)
}

// counts sets the model's counts of classes.
func (f *File) counts(nets *generate.Model) error {
	var have []uint32
	if f.Classes != nil {
		have = f.Classes.Counts
	}
	if len(have) != len(nets.Classes) {
		return fmt.Errorf("%s: classes: counts of %d, expected %d, by the configuration",
			f.path, len(have), len(nets.Classes))
	}
	copy(nets.Classes, have)
	return nil
}

// lacks says what a checkpoint of the model lacks.
func (m *Imported) lacks() string {
	text := "the weights as they are (leave out --raw)"
	if m.Weights == Raw {
		text = "the moving average of the weights (give --raw)"
	}
	if m.rows == nil {
		text += ", particles (export them with --particles)"
	}
	return text + ", and a state to resume from"
}

// Store writes the model to the directory of a run, which commands then can sample from, measure
// and export again, but not resume. Only a file of the directory that is complete gets its name;
// the configuration, without which it is no run, comes last.
func (m *Imported) Store(w *run.Writer) error {
	checkpoints := checkpoint.Writer{Files: w.Files, RunDir: w.Dir}
	pending, err := checkpoints.Begin(checkpoint.Meta{
		Version: run.Version(), Method: string(m.config.Method), Step: m.Step, Epoch: m.Epoch,
		Seed: m.config.Seed, Data: m.config.Data, Fingerprint: m.Data.Fingerprint,
		Config: m.Description.Config, Imported: m.lacks(),
	}, m.tensors)
	if err != nil {
		return err
	}
	if _, err := pending.Commit(); err != nil {
		return err
	}
	if m.rows != nil {
		if err := w.StoreRows(images{rows: m.rows}, images{}); err != nil {
			return err
		}
	}
	if m.start != nil {
		if err := w.StoreStart(m.start); err != nil {
			return err
		}
	}
	if err := w.StoreInfo(m.info()); err != nil {
		return err
	}
	if m.schema != nil {
		if err := w.StoreSchema(m.schema); err != nil {
			return err
		}
	}
	return w.StoreConfig(m.config)
}

// info describes the run.
func (m *Imported) info() run.Info {
	now := time.Now()
	shape := data.Shape(m.Data.Shape.Layer())
	info := run.NewInfo(m.config, m.Data.Fingerprint, shape)
	info.Read, info.Finished = m.Data.Read, &now
	if m.Classes != nil && m.Classes.Len() > 0 {
		info.Classes = &m.Classes.Classes
	}
	info.Imported = &run.Import{File: m.from, Version: m.Version, Weights: m.Weights}
	return info
}
