package data

import (
	"bytes"
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/suggest"
)

// embeddedFiles holds the sample data as their authors distribute them; NOTICE.md there says
// whose they are and under which licenses.
//
//go:embed embedded/*.gz embedded/NOTICE.md
var embeddedFiles embed.FS

// embedded maps the names that need no files to what finds their images.
var embedded = map[string]func(context.Context) (*Found, error){
	"fashion10k": findFashion,
	"digits":     findDigits,
}

// Embedded lists the names of the embedded data sets, sorted.
func Embedded() []string { return slices.Sorted(maps.Keys(embedded)) }

func embeddedSource(ctx context.Context, file string) (*source, error) {
	raw, err := embeddedFiles.ReadFile("embedded/" + file)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return newSource(ctx, file, bytes.NewReader(raw))
}

const fashionImages, fashionLabels = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"

// findFashion finds the 10,000 test images of Fashion-MNIST: 28 x 28 gray garments in ten
// classes (Xiao, Rasul, Vollgraf 2017).
func findFashion(ctx context.Context) (*Found, error) {
	s, err := embeddedSource(ctx, fashionImages)
	if err != nil {
		return nil, err
	}
	h, err := idxImages(s)
	if err != nil {
		return nil, err
	}
	f, err := h.found(s, readFashion)
	if err == nil {
		f.Bytes, f.labelled = f.Bytes+memory.Array[int32](f.Len), true
	}
	return f, err
}

func readFashion(ctx context.Context) (*array, error) {
	s, err := embeddedSource(ctx, fashionImages)
	if err != nil {
		return nil, err
	}
	a, err := readIDXImages(s)
	if err != nil {
		return nil, err
	}
	a.name = "fashion10k"
	if s, err = embeddedSource(ctx, fashionLabels); err != nil {
		return nil, err
	}
	a.labels, err = readIDXLabels(s)
	return a, err
}

// The digits, one a line.
const digits = 1797

var digitsShape = Shape{8, 8, 1}

func findDigits(context.Context) (*Found, error) {
	h := header{m: digits, shape: digitsShape, width: 4}
	return &Found{
		Len: h.m, Shape: h.shape, Bytes: h.bytes() + memory.Array[int32](h.m), labelled: true,
		read: readDigits,
	}, nil
}

// readDigits reads 1,797 handwritten digits of 8 x 8 pixels with 17 gray levels (Alpaydin and
// Kaynak 1998). Each line holds the 64 pixels, 0..16, and the digit. Level v becomes v/8 - 1,
// which is exact.
func readDigits(ctx context.Context) (*array, error) {
	s, err := embeddedSource(ctx, "digits.csv.gz")
	if err != nil {
		return nil, err
	}
	d := digitsShape.Dim()
	r := csv.NewReader(s.r)
	r.FieldsPerRecord, r.ReuseRecord = d+1, true
	a := &array{name: "digits", shape: digitsShape, m: digits,
		f32: make([]float32, 0, digits*d), labels: make([]int32, 0, digits),
		stored: stored{values: [2]float64{0, 16}, ends: [2]float64{0, 16}}}
	for i := range digits {
		record, err := r.Read()
		if err != nil {
			return nil, s.fail("%w", err)
		}
		for j, field := range record {
			v, err := strconv.ParseUint(field, 10, 8)
			if err != nil || v > 16 {
				return nil, s.fail("line %d, field %d is %q; expected 0 to 16", i+1, j+1, field)
			}
			if j < d {
				a.f32 = append(a.f32, float32(v)/8-1)
			} else {
				a.labels = append(a.labels, int32(v))
			}
		}
	}
	return a, nil
}

// unknownName is the error of a name that is neither embedded nor a path.
func unknownName(name string) error {
	return fmt.Errorf("data: %q: no such file or directory, nor the name of an embedded data "+
		"set%s; expected %s, or the path of %s",
		name, suggest.DidYouMean(strings.ToLower(name), Embedded()),
		strings.Join(Embedded(), ", "), accepted)
}
