package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"maps"
	"math"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
	"github.com/plume-ml/plume/trainer/memory"
)

// maxImageBytes limits the images of a source, which are kept in memory with one byte per value.
const maxImageBytes = 16 << 30

// whole returns the pictures whose headers can be read. Without SkipBroken, a broken one is an
// error; the others are decoded first, so that the error names all broken ones.
func (g *gallery) whole(ctx context.Context, source files.Source) ([]picture, error) {
	whole := make([]picture, 0, len(g.pictures))
	for _, p := range g.pictures {
		if p.err == nil {
			whole = append(whole, p)
		}
	}
	if len(whole) < len(g.pictures) && !g.opt.SkipBroken {
		if err := g.decode(ctx, source, func(int, image.Image) {}); err != nil {
			return nil, err
		}
		return nil, g.brokenError()
	}
	if len(whole) == 0 {
		return nil, g.brokenError()
	}
	return whole, nil
}

// brokenError returns the error of broken pictures, nil if there are none.
func (g *gallery) brokenError() error {
	list := g.brokenList()
	switch {
	case list == "":
		return nil
	case !slices.ContainsFunc(g.pictures, func(p picture) bool { return p.err == nil }):
		return fmt.Errorf("data: %s: %s; expected %s", g.path, list, g.readable())
	}
	return fmt.Errorf("data: %s: %s; expected %s: repair or remove the broken ones, or leave them "+
		"out with --skip-broken", g.path, list, g.readable())
}

// brokenList says how many pictures are broken and why, for the first few; "" if none is.
func (g *gallery) brokenList() string {
	const maxFirst = 10
	n := 0
	var first []string
	for _, p := range g.pictures {
		if p.err == nil {
			continue
		}
		if n++; n <= maxFirst {
			first = append(first, fmt.Sprintf("%s (%s)", printable(p.file.Name),
				describeError(p.err)))
		}
	}
	if n == 0 {
		return ""
	}
	are := "are"
	if n == 1 {
		are = "is"
	}
	text := fmt.Sprintf("%s of %s %s broken: %s", thousands(n),
		counted(len(g.pictures), g.called()), are, strings.Join(first, ", "))
	if n > maxFirst {
		text += fmt.Sprintf(" and %s more", thousands(n-maxFirst))
	}
	return text
}

// describeError says what is wrong with a broken picture.
func describeError(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "is cut off"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read: permission denied"
	}
	return err.Error()
}

// none returns the error of a source without pictures.
func (g *gallery) none(list []files.File) error {
	expected, remedy := g.readable()+" in it or below it", "give its own path"
	if !g.sounds {
		expected += ", or WAV files, or IDX files in it"
	}
	if g.kind != files.Folder {
		expected = g.readable()
		remedy = "unpack this archive and give the path of what is in it"
	}
	if len(list) == 0 && len(g.summary.Skipped) == 0 {
		return fmt.Errorf("data: %s: is %s; expected %s", g.path,
			strings.Replace(g.kind, "a ", "an empty ", 1), expected)
	}
	return fmt.Errorf("data: %s: holds no images%s; expected %s%s", g.path,
		g.summary.passedOver(), expected, instead(list, remedy))
}

// instead says how to use a file that may hold a data set of its own; "" if there is none.
func instead(list []files.File, remedy string) string {
	for _, f := range list {
		kind := otherKinds[ending(f.Name)]
		own := []string{numpyArrays, archiveFiles, csvFiles, parquetFiles}
		if slices.Contains(own, kind) || strings.HasSuffix(f.Name, "-ubyte") ||
			cifar10Name.MatchString(path.Base(f.Name)) {
			return fmt.Sprintf("; if %s holds the data, %s", f.Name, remedy)
		}
	}
	return ""
}

// checkSizes returns an error if pictures differ in size.
func (g *gallery) checkSizes(whole []picture) error {
	counts, example := map[image.Point]int{}, map[image.Point]string{}
	for _, p := range whole {
		size := image.Pt(p.head.Width, p.head.Height)
		if counts[size]++; counts[size] == 1 {
			example[size] = printable(p.file.Name)
		}
	}
	if len(counts) == 1 {
		return nil
	}
	sizes := slices.SortedFunc(maps.Keys(counts), func(a, b image.Point) int {
		return cmp.Or(counts[b]-counts[a], a.X-b.X, a.Y-b.Y)
	})
	const maxParts = 4
	var parts []string
	for _, s := range sizes[:min(maxParts, len(sizes))] {
		have := "have"
		if counts[s] == 1 {
			have = "has"
		}
		parts = append(parts, fmt.Sprintf("%s %s %d x %d pixels (%s)", thousands(counts[s]), have,
			s.X, s.Y, example[s]))
	}
	text := strings.Join(parts, ", ")
	if len(sizes) > maxParts {
		text += fmt.Sprintf(", and there are %s more sizes", thousands(len(sizes)-maxParts))
	}
	return fmt.Errorf("data: %s: pictures differ in size: %s; expected one size: "+
		"--size S cuts out the central square of each and scales it to S x S", g.path, text)
}

// checkMemory returns an error if an image, or n images together, are too large.
func checkMemory(dir string, n int, shape Shape) error {
	if shape.Validate() != nil || int64(n) > min(maxImageBytes, math.MaxInt)/int64(shape.Dim()) {
		return fmt.Errorf("data: %s: holds %d images of %v, %.3g GiB; expected at most %d values "+
			"in an image and %d GiB in all (--size scales images down, --gray keeps one channel "+
			"of three)", dir, n, shape,
			float64(n)*float64(shape.H)*float64(shape.W)*float64(shape.C)/(1<<30), maxDim,
			maxImageBytes>>30)
	}
	return nil
}

// loading is an upper bound of the memory while pictures are decoded: that of the most expensive
// picture times the number decoded at once. It counts the decoded picture, its canvas, the
// intermediate rows of scaling (four float64 per pixel), and the compressed member of an archive.
func (g *gallery) loading(shape Shape) int64 {
	var largest int64
	n := 0
	for _, p := range g.pictures {
		if p.err != nil {
			continue
		}
		n++
		h := p.head
		bytes := h.Bytes + memory.Array[uint8](4, shape.W, shape.H)
		if h.Width != shape.W || h.Height != shape.H {
			bytes += memory.Array[float64](4, shape.W, min(h.Width, h.Height))
		}
		if g.kind != files.Folder {
			bytes += 2 * p.file.Size
		}
		largest = max(largest, bytes)
	}
	return int64(min(n, runtime.GOMAXPROCS(0))) * largest
}

// decode decodes all pictures whose headers could be read, on all cores, and passes them to use. It
// records which ones are broken.
func (g *gallery) decode(
	ctx context.Context,
	source files.Source,
	use func(i int, m image.Image),
) error {
	return g.each(ctx, source, func(i int, c raster.Content) error {
		if g.sounds {
			return nil
		}
		m, err := raster.Decode(c, g.pictures[i].head)
		if err == nil && c.Size() > 0 {
			_, err = c.ReadAt(make([]byte, 1), c.Size()-1) // verifies the checksum of an archive
		}
		if err == nil {
			use(i, m)
		}
		return err
	})
}

// each passes the files whose headers could be read to read, on all cores, and records which are
// broken.
func (g *gallery) each(
	ctx context.Context, source files.Source, read func(i int, c raster.Content) error,
) error {
	var list []files.File
	var index []int
	for i, p := range g.pictures {
		if p.err == nil {
			list, index = append(list, p.file), append(index, i)
		}
	}
	err := g.visit(ctx, source, list, g.called(), func(i int, c raster.Content, err error) {
		if err == nil {
			err = read(index[i], c)
		}
		if err != nil {
			g.pictures[index[i]].err = err
		}
	})
	if err != nil {
		return sourceError(ctx, g.path, err)
	}
	return nil
}
