package data

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/plume-ml/plume/trainer/memory"
)

// The binary version of CIFAR-10 and CIFAR-100 (A. Krizhevsky, "Learning multiple layers of
// features from tiny images", 2009) consists of records: one label, or for CIFAR-100 a coarse and a
// fine one, then the 1,024 red, 1,024 green and 1,024 blue values of a picture of 32 x 32, row by
// row.

var cifarShape = Shape{32, 32, 3}

const cifarPixels = 32 * 32

// cifarBatch is a file of records.
type cifarBatch struct {
	path    string
	m       int   // number of records
	classes []int // number of classes of each label in a record; the last label is used
}

// width is the length of a record in bytes.
func (b cifarBatch) width() int { return len(b.classes) + 3*cifarPixels }

// name is the name of the data set that the batch belongs to.
func (b cifarBatch) name() string { return fmt.Sprintf("CIFAR-%d", b.classes[len(b.classes)-1]) }

var (
	cifar10Name  = regexp.MustCompile(`^(data_batch_[0-9]+|test_batch)\.bin$`)
	cifar100Name = regexp.MustCompile(`^(train|test)\.bin$`)
)

// asCIFAR reports whether a file is a batch by its name, its size and the labels of its first
// records. A file with a name of CIFAR-10 must be one; the names of CIFAR-100 are too general.
func asCIFAR(ctx context.Context, path string, size int64) (b cifarBatch, ok bool, err error) {
	name := filepath.Base(path)
	switch {
	case cifar10Name.MatchString(name):
		b = cifarBatch{path: path, classes: []int{10}}
	case cifar100Name.MatchString(name):
		b = cifarBatch{path: path, classes: []int{20, 100}}
	default:
		return b, false, nil
	}
	if width := int64(b.width()); size%width == 0 && size > 0 {
		b.m = int(size / width)
		if ok, err = b.peek(); err != nil || ok && !isWholeIDX(ctx, path) {
			return b, ok, err
		}
	}
	if len(b.classes) == 2 {
		return b, false, nil // train.bin may be anything
	}
	return b, false, fmt.Errorf("data: %s: has the name of a batch of CIFAR-10, but its %d "+
		"bytes are not records of a label, 0 to 9, and 3072 pixels (%d bytes each): it is "+
		"damaged or truncated, or something else, which needs another name",
		path, size, b.width())
}

// isWholeIDX reports whether a file has the header of an IDX file and the size that it announces.
func isWholeIDX(ctx context.Context, path string) bool {
	s, err := openSource(ctx, path)
	if err != nil {
		return false
	}
	defer s.close()
	dtype, _, n, err := idxHeader(s)
	return err == nil && s.confirms(memory.Array[uint8](n, dtype.Width))
}

// peekedRecords is the number of records that peek checks.
const peekedRecords = 64

// peek reports whether the labels of the first records are valid.
func (b cifarBatch) peek() (ok bool, err error) {
	f, err := os.Open(b.path)
	if err != nil {
		return false, fmt.Errorf("data: %w", err)
	}
	defer f.Close()
	labels := make([]byte, len(b.classes))
	for i := range min(b.m, peekedRecords) {
		if _, err := f.ReadAt(labels, int64(i)*int64(b.width())); err != nil {
			return false, fmt.Errorf("data: %w", err)
		}
		if b.wrong(labels) >= 0 {
			return false, nil
		}
	}
	return true, nil
}

// wrong returns the index of the first label that is out of range, or -1.
func (b cifarBatch) wrong(labels []byte) int {
	for i, classes := range b.classes {
		if int(labels[i]) >= classes {
			return i
		}
	}
	return -1
}

// findCIFARFile describes a single batch. It returns nil if the file is not a batch.
func findCIFARFile(ctx context.Context, path string, size int64, opt Options) (*Found, error) {
	b, ok, err := asCIFAR(ctx, path, size)
	if !ok || err != nil {
		return nil, err
	}
	if err := opt.refuse(path, "a batch of "+b.name()); err != nil {
		return nil, err
	}
	f := foundCIFAR(cifarBatches{b})
	f.Summary.Format = "a binary batch of " + b.name() + b.labelNote()
	return f, nil
}

// labelNote says which of two labels is used.
func (b cifarBatch) labelNote() string {
	if len(b.classes) == 2 {
		return " with its fine labels, not the 20 coarse ones"
	}
	return ""
}

func foundCIFAR(batches cifarBatches) *Found {
	m := batches.len()
	return &Found{
		Len:      m,
		Shape:    cifarShape,
		Bytes:    memory.Array[uint8](m, cifarShape.Dim()) + memory.Array[int32](m),
		images:   batches,
		labelled: true,
	}
}

// cifarBatches are batches of one data set, to be read in this order.
type cifarBatches []cifarBatch

func (b cifarBatches) len() (m int) {
	for _, batch := range b {
		m += batch.m
	}
	return m
}

// readImages reads images and labels, which lie together.
func (b cifarBatches) readImages(ctx context.Context) (*array, error) {
	m := b.len()
	a := &array{
		shape:   cifarShape,
		u8:      make([]uint8, m*cifarShape.Dim()),
		labels:  make([]int32, m),
		classes: cifarClasses(b[0]),
	}
	for _, batch := range b {
		if err := a.readBatch(ctx, batch); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// readBatch appends the records of a batch, with the channels last.
func (a *array) readBatch(ctx context.Context, b cifarBatch) error {
	s, err := openSource(ctx, b.path)
	if err != nil {
		return err
	}
	defer s.close()
	record := make([]byte, b.width())
	for i := range b.m {
		if _, err := io.ReadFull(s.r, record); err != nil {
			return s.broken(err, i*len(record), b.m*len(record))
		}
		labels := len(b.classes)
		if k := b.wrong(record[:labels]); k >= 0 {
			return s.fail("has the label %d in record %d (counted from 0); %s has labels from 0 "+
				"to %d", record[k], i, b.name(), b.classes[k]-1)
		}
		interleave(a.u8[a.m*cifarShape.Dim():], record[labels:])
		a.labels[a.m] = int32(record[labels-1])
		a.m++
	}
	return s.end(b.m * len(record))
}

// interleave converts pictures from planes of channels to the order H x W x C.
func interleave(dst, planes []uint8) {
	for i := range cifarPixels {
		for c := range 3 {
			dst[3*i+c] = planes[c*cifarPixels+i]
		}
	}
}

// cifarClasses reads the names of the classes, one per line, from the file beside the batches. It
// returns nil if there is no such file.
func cifarClasses(b cifarBatch) []string {
	file := map[int]string{1: "batches.meta.txt", 2: "fine_label_names.txt"}[len(b.classes)]
	text, err := os.ReadFile(filepath.Join(filepath.Dir(b.path), file))
	if err != nil {
		return nil
	}
	names := strings.Fields(string(text))
	if len(names) != b.classes[len(b.classes)-1] {
		return nil
	}
	return names
}
