package run

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
)

// The columns of the table, one line for every image that was read, and for every mirror image:
//
//	particle  row of the training images, and so of the particles; empty where split is held-out
//	source    row in the source, from 0; skipped rows count
//	file      name of the image's file relative to the source; empty where it has none
//	label     class of the image, as the source numbers it; empty where it is unknown
//	split     train, flipped (a mirror image that was trained on) or held-out
var rowsHeader = []string{"particle", "source", "file", "label", "split"}

const splitTrain, splitFlipped, splitHeld = "train", "flipped", "held-out"

// StoreRows writes rows.csv, which gives the row of the source that each particle belongs to.
// Training images come first, in the order of the particles. The file is written atomically.
func (w *Writer) StoreRows(train, held data.Dataset) error {
	err := file.Write(w.Files, filepath.Join(w.Dir, rowsFile), func(w io.Writer) error {
		return encodeRows(w, train, held)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", rowsFile, err)
	}
	return nil
}

// HasRows reports whether the run in dir has its table of rows.
func HasRows(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, rowsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func encodeRows(w io.Writer, train, held data.Dataset) error {
	table := csv.NewWriter(w)
	if err := table.Write(rowsHeader); err != nil {
		return err
	}
	record := make([]string, len(rowsHeader))
	for i := range train.Len() {
		fillRow(record, train, i)
		record[0], record[4] = strconv.Itoa(i), splitTrain
		if train.Origin(i).Flipped {
			record[4] = splitFlipped
		}
		if err := table.Write(record); err != nil {
			return err
		}
	}
	for i := range held.Len() {
		fillRow(record, held, i)
		record[0], record[4] = "", splitHeld
		if err := table.Write(record); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// fillRow sets what does not depend on the split.
func fillRow(record []string, ds data.Dataset, i int) {
	origin, label := ds.Origin(i), ds.Label(i)
	record[1], record[2], record[3] = strconv.Itoa(origin.Row), origin.File, ""
	if label >= 0 {
		record[3] = strconv.Itoa(label)
	}
}

// Row says what the particles of a training image belong to.
type Row struct {
	Source  int    // row in the source, from 0
	File    string // "": the image has none
	Label   int    // as the source numbers classes; -1: unknown
	Flipped bool   // a mirror image
}

// withoutParticles is the error of an imported run whose export had no particles.
func withoutParticles(dir string) error {
	return fmt.Errorf("%s was imported from an export without particles: export the original run "+
		"with --particles, and import that", dir)
}

// ReadRows reads the rows of the training images from rows.csv, in the order of the particles.
// Errors name the file and the line.
func ReadRows(dir string) (rows []Row, err error) {
	for row, err := range EachRow(dir) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// EachRow yields what ReadRows returns, row by row, or at last its error.
func EachRow(dir string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		f, err := openRows(dir)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer f.Close()
		table := csv.NewReader(f)
		table.FieldsPerRecord, table.ReuseRecord = len(rowsHeader), true
		for line, particle := 1, 0; ; line++ {
			record, err := table.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && (line == 1 || record[0] == "") {
				continue
			}
			var row Row
			if err == nil {
				row, err = parseRow(record, particle)
				particle++
			}
			if err != nil {
				yield(Row{}, fmt.Errorf("%s: line %d: %w", f.Name(), line, err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// openRows opens rows.csv.
func openRows(dir string) (*os.File, error) {
	path := filepath.Join(dir, rowsFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if info, err := ReadInfo(dir); err == nil && info.Imported != nil {
			return nil, withoutParticles(dir)
		}
		return nil, fmt.Errorf("%s is missing, which says what the particles belong to; a run "+
			"that is resumed writes it again", path)
	}
	return f, err
}

// parseRow reads the line of a training image, which must be that of the given particle.
func parseRow(record []string, particle int) (row Row, err error) {
	if record[0] != strconv.Itoa(particle) {
		return row, fmt.Errorf("particle %q: expected %d, since rows are in order", record[0],
			particle)
	}
	row = Row{File: record[2], Label: -1, Flipped: record[4] == splitFlipped}
	if row.Source, err = strconv.Atoi(record[1]); err == nil && record[3] != "" {
		row.Label, err = strconv.Atoi(record[3])
	}
	return row, err
}
