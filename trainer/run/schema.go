package run

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/file"
)

// StoreSchema writes schema.toml, the complete schema of the table that the run is trained on.
func (w *Writer) StoreSchema(s *columns.Schema) error {
	text, err := s.WriteTOML()
	if err != nil {
		return err
	}
	if err := file.WriteBytes(w.Files, filepath.Join(w.Dir, schemaFile), text); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	return nil
}

// ReadSchema reads schema.toml of the run in dir. The error wraps fs.ErrNotExist if there is none.
func ReadSchema(dir string) (*columns.Schema, error) {
	return columns.ReadSchema(filepath.Join(dir, schemaFile))
}

// Schema returns the complete schema of the table that the run was trained on; nil if that was no
// table.
func (r *Run) Schema() (*columns.Schema, error) {
	if r.Config.As != data.Columns {
		return nil, nil
	}
	s, err := ReadSchema(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing, which says how %s encodes its table: copy it from "+
			"where the run was trained", filepath.Join(r.Dir, schemaFile), r.Dir)
	}
	return s, err
}

// DataOptions are the options with which the run reads tables and images, its own and others.
func (r *Run) DataOptions(warn, progress func(string)) (o data.Options, err error) {
	o = r.Config.DataOptions(warn, progress)
	o.TableSchema, err = r.Schema()
	return o, err
}
