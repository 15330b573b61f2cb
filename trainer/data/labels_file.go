package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/plume-ml/plume/trainer/data/files"
	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// maxLabelFile limits the size of a text file of labels, which is read as a whole.
const maxLabelFile = 1 << 30

// readLabelFile reads the file of labels at path.
func readLabelFile(ctx context.Context, path string) (*labelTable, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("data: --labels: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("data: --labels: %s: is not a file; expected %s", path, labelFormats)
	}
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	switch s.kind() {
	case kindIDX:
		numbers, err := readIDXLabels(s)
		return &labelTable{source: path, numbers: numbers}, err
	case kindNPY:
		numbers, err := readNPYLabels(s)
		return &labelTable{source: path, numbers: numbers}, err
	}
	b, err := io.ReadAll(io.LimitReader(s.r, maxLabelFile+1))
	if err != nil {
		return nil, s.damaged(err)
	}
	return files.Promptly(ctx, func() (*labelTable, error) { return parseLabels(path, b) })
}

const labelFormats = "a CSV or JSON file of labels, a .npy array of whole numbers, or an IDX " +
	"file of labels"

// parseLabels reads the text of a CSV or JSON file.
func parseLabels(source string, b []byte) (*labelTable, error) {
	t := &labelTable{source: source}
	if len(b) > maxLabelFile {
		return nil, t.fail("is longer than %d MiB; expected %s", maxLabelFile>>20, labelFormats)
	}
	b = inUTF8(b)
	text := bytes.TrimSpace(b)
	if len(text) == 0 {
		return nil, t.fail("is empty; expected %s", labelFormats)
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return nil, t.fail("is not text; expected %s", labelFormats)
	}
	err := error(nil)
	ext := strings.ToLower(filepath.Ext(strings.TrimSuffix(source, ".gz")))
	if text[0] == '{' || text[0] == '[' && ext != ".csv" && ext != ".tsv" && ext != ".txt" {
		err = t.json(text)
	} else {
		err = t.csv(b)
	}
	if err != nil {
		return nil, err
	}
	if t.len() == 0 {
		return nil, t.fail("holds no labels; expected %s", labelFormats)
	}
	return t, nil
}

// inUTF8 converts the text of spreadsheets to UTF-8: it decodes UTF-16, removes a byte order mark,
// and replaces carriage returns if these alone end the lines.
func inUTF8(b []byte) []byte {
	order := map[string]binary.ByteOrder{
		"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian,
	}[string(b[:min(len(b), 2)])]
	if order != nil {
		units := make([]uint16, len(b)/2-1)
		for i := range units {
			units[i] = order.Uint16(b[2*i+2:])
		}
		b = []byte(string(utf16.Decode(units)))
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if bytes.IndexByte(b, '\n') < 0 {
		b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	}
	return b
}

// readNPYLabels reads an array of whole numbers, M or M x 1.
func readNPYLabels(s *source) ([]int32, error) {
	h, err := s.arrayHeader()
	if err != nil {
		return nil, err
	}
	n, err := elements(h.Dims)
	switch {
	case err != nil:
	case len(h.Dims) < 1 || n != h.Dims[0]:
		err = fmt.Errorf("has the dimensions %s; expected one label per image, M or M x 1",
			joinDims(h.Dims))
	case h.Dtype.Kind == npyfile.Other:
		err = fmt.Errorf("is an array of %s; expected whole numbers", h.Dtype.Name())
	}
	if err != nil {
		return nil, s.fail("%w", err)
	}
	return readLabels(s, n, h.Dtype)
}

// labelFile is the table of a file named by Options.Labels.
type labelFile struct {
	table *labelTable
	opt   Options
}

// readLabels assigns labels to the images of a. The table also covers images that were left out.
func (l labelFile) readLabels(_ context.Context, a *array) error {
	labels, names, err := l.table.assign(a.sourceFiles(), a.m+len(a.skipped), l.opt.warn)
	if err != nil {
		return err
	}
	if a.rows != nil {
		labels = pick(labels, a.rows)
	}
	a.labels, a.classes = append(make([]int32, 0, a.m), labels...), names
	return nil
}

// findLabelFile reads the file named by Options.Labels, which replaces any other labels.
func (f *Found) findLabelFile(ctx context.Context) error {
	t, err := readLabelFile(ctx, f.opt.Labels)
	if err != nil {
		return err
	}
	f.addLabels(labelFile{t, f.opt})
	f.Summary.LabelsFrom = f.opt.Labels
	return nil
}
