package data

import (
	"bytes"
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/suggest"
)

// embeddedFiles holds the sample data. NOTICE.md there names the authors and the licenses, and what
// was changed.
//
//go:embed embedded/*.gz embedded/*.webp embedded/NOTICE.md
var embeddedFiles embed.FS

// embedded maps the names of the embedded data sets to the functions that find them.
var embedded = map[string]func(context.Context) (*Found, error){
	"fashion10k": findFashion,
	"digits":     findDigits,
	"emoji":      findEmoji,
}

// Embedded returns the names of the embedded data sets, sorted.
func Embedded() []string { return slices.Sorted(maps.Keys(embedded)) }

func embeddedSource(ctx context.Context, file string) (*source, error) {
	raw, err := embeddedFiles.ReadFile("embedded/" + file)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return newSource(ctx, file, bytes.NewReader(raw))
}

// The files of fashion10k.
var (
	fashionImages = location{path: "t10k-images-idx3-ubyte.gz", embedded: true}
	fashionLabels = location{path: "t10k-labels-idx1-ubyte.gz", embedded: true}
)

// findFashion finds the 10,000 test images of Fashion-MNIST: 28 x 28 gray garments in ten
// classes (Xiao, Rasul, Vollgraf 2017).
func findFashion(ctx context.Context) (*Found, error) {
	s, err := fashionImages.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	f, err := findIDX(s, fashionImages)
	if err != nil {
		return nil, err
	}
	f.addLabels(idxLabels{fashionLabels})
	f.addLabels(fashionNames{})
	return f, nil
}

// fashionNames names the classes of fashion10k, whose files have only their numbers.
type fashionNames struct{}

func (fashionNames) readLabels(_ context.Context, a *array) error {
	a.classes = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
		"Sneaker", "Bag", "Ankle boot"}
	return nil
}

// checkEmbedded refuses options that do not apply to embedded data sets, and warns if a file has
// the name of one.
func checkEmbedded(name string, opt Options) error {
	if err := opt.refuse(name, "an embedded data set"); err != nil {
		return err
	}
	if opt.Range != nil {
		return fmt.Errorf("data: %s: --range applies only to files and directories, and "+
			"this is an embedded data set", name)
	}
	if _, err := os.Lstat(name); err == nil {
		opt.warn("data: %s: is taken as the embedded data set of that name; to read the file or "+
			"directory of that name, give .%c%s", name, filepath.Separator, name)
	}
	return nil
}

// digits are 1,797 handwritten digits of 8 x 8 pixels with 17 gray levels (Alpaydin and Kaynak
// 1998). Each line of the file holds the 64 pixels, 0..16, and the digit. Level v becomes v/8 - 1,
// which is exact.
type digits struct{}

const digitsLen = 1797

var digitsShape = Shape{8, 8, 1}

func findDigits(context.Context) (*Found, error) {
	h := header{m: digitsLen, shape: digitsShape, width: 4}
	return &Found{
		Len:      h.m,
		Shape:    h.shape,
		Bytes:    h.bytes() + memory.Array[int32](h.m),
		images:   digits{},
		labelled: true,
	}, nil
}

// readImages reads images and labels.
func (digits) readImages(ctx context.Context) (*array, error) {
	s, err := embeddedSource(ctx, "digits.csv.gz")
	if err != nil {
		return nil, err
	}
	d := digitsShape.Dim()
	r := csv.NewReader(s.r)
	r.FieldsPerRecord, r.ReuseRecord = d+1, true
	a := &array{
		shape:  digitsShape,
		m:      digitsLen,
		f32:    make([]float32, 0, digitsLen*d),
		labels: make([]int32, 0, digitsLen),
		stored: stored{values: [2]float64{0, 16}, ends: [2]float64{0, 16}},
	}
	for i := range digitsLen {
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

// unknownName returns the error of a name that is neither embedded nor a path.
func unknownName(name string) error {
	return fmt.Errorf("data: %q: no such file or directory, nor the name of an embedded data "+
		"set%s; expected %s, or the path of %s",
		name, suggest.DidYouMean(strings.ToLower(name), Embedded()),
		strings.Join(Embedded(), ", "), accepted)
}
