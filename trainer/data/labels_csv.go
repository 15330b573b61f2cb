package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Common headers of columns, in lower case.
var (
	nameColumns = strings.Fields("file_name filename file filepath file_path path image " +
		"image_path image_name img image_id img_id id image_file name fname index idx row picture")
	labelColumns = strings.Fields("label labels class classes category target y class_id " +
		"label_id class_name label_name category_id class_index digit breed species diagnosis")
)

// csv reads records of names and labels, or of labels only, with or without a header.
func (t *labelTable) csv(b []byte) error {
	records, err := t.records(b)
	if err != nil {
		return err
	}
	name, label, header, err := t.columns(records)
	if err != nil {
		return err
	}
	t.headed = header
	for i, r := range records {
		switch {
		case i == 0 && header:
			continue
		case label >= len(r) || name >= len(r):
			return t.fail("record %d (counted from 1) has %s; expected at least %d", i+1,
				counted(len(r), "fields"), max(label, name)+1)
		}
		t.values = append(t.values, strings.TrimSpace(r[label]))
		if name >= 0 {
			t.names = append(t.names, strings.TrimSpace(r[name]))
		}
	}
	return nil
}

// records splits lines at commas, semicolons or tabs, whichever the first line contains, otherwise
// at the last space of each line if all lines have one.
func (t *labelTable) records(b []byte) (records [][]string, err error) {
	first, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	i := bytes.IndexAny(first, ",;\t")
	if i < 0 {
		if records = atSpaces(string(b)); records != nil {
			return records, nil
		}
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	if i >= 0 {
		r.Comma = rune(first[i])
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, t.fail("%w", err)
		}
		records = append(records, record)
	}
}

// atSpaces splits each line at its last space. It returns nil if a line has none.
func atSpaces(text string) (records [][]string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		if cut < 0 {
			return nil
		}
		records = append(records, []string{strings.TrimSpace(line[:cut]), line[cut+1:]})
	}
	return records
}

// columns returns the indices of the columns of names, -1 if there is none, and of labels, and
// whether the first record is a header.
func (t *labelTable) columns(records [][]string) (name, label int, header bool, err error) {
	first := make([]string, len(records[0]))
	for i, f := range records[0] {
		first[i] = strings.ToLower(strings.TrimSpace(f))
	}
	name, label = columnOf(first, nameColumns), columnOf(first, labelColumns)
	header = name >= 0 || label >= 0 || numbersBelow(records)
	switch n := len(first); {
	case n == 1:
		return -1, 0, header, nil
	case !header && n == 2:
		return 0, 1, false, nil
	case name >= 0 && label >= 0:
		return name, label, true, nil
	case n == 2 && name >= 0:
		return name, 1 - name, true, nil
	case n == 2 && label >= 0:
		return 1 - label, label, true, nil
	case header && n == 2:
		return 0, 1, true, nil
	}
	return 0, 0, false, t.fail("has the columns %s; expected one named %s, and one named %s, or "+
		"two columns in all", strings.Join(records[0], ", "), "file_name, filename, file, path, "+
		"image or id", "label, class, category or target")
}

func columnOf(header, names []string) int {
	for _, n := range names {
		if i := slices.Index(header, n); i >= 0 {
			return i
		}
	}
	return -1
}

// numbersBelow reports whether the last column is a word followed by numbers, so that the word is a
// header.
func numbersBelow(records [][]string) bool {
	if len(records) < 2 {
		return false
	}
	for i, r := range records {
		_, err := strconv.ParseFloat(strings.TrimSpace(r[len(r)-1]), 64)
		if i == 0 && err == nil || i > 0 && err != nil {
			return false
		}
	}
	return true
}
