package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/table"
)

// stdoutName is the --output that stands for stdout.
const stdoutName = "-"

// sampleOutput takes the images that are drawn, block by block.
type sampleOutput interface {
	add(b sampleBlock) error
	close() error
	// abandon removes what was written, unless close has completed it. Another goroutine may be in
	// one of the other methods.
	abandon()
}

// isFolder reports whether --output names a folder: it ends in a slash, or is one.
func isFolder(path string) bool {
	if path != "" && os.IsPathSeparator(path[len(path)-1]) {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// checkOutput returns an error if nothing could be written to --output.
func (s *sampleCommand) checkOutput() error {
	ending := filepath.Ext(s.out)
	switch {
	case s.out == stdoutName:
		return nil
	case isFolder(s.out):
		return prefix("--output", picture.CheckFolder(s.out))
	case ending == ".png":
		return checkDirectory(s.out)
	case slices.Contains(table.Endings(), ending):
		return prefix("--output", table.CheckPath(s.out, table.Column{Name: "image"}))
	}
	return fmt.Errorf("--output is %q; expected a name that ends in .png, %s, a folder that ends "+
		"in / or exists, or - for stdout", s.out, strings.Join(table.Endings(), ", "))
}

// prefix puts the name of a flag before an error.
func prefix(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", flag, err)
}

// open begins the output of the images of a plan.
func (s *sampleCommand) open(p *samplePlan) (sampleOutput, error) {
	shape := p.model.Shape()
	switch {
	case s.schema != nil && filepath.Ext(s.out) != ".npy":
		return newCellsOutput(s.out, p, s.schema)
	case s.out == stdoutName:
		o, err := newArrayOutput(shape.Dims(p.n))
		return inUnits{o, p.model.Config()}, err
	case isFolder(s.out):
		f, err := picture.CreateFolder(s.out, shape)
		o := &folderOutput{Folder: f, dim: shape.Dim(), digits: digits(p)}
		o.file = o.fileOf(p.model)
		return o, err
	case filepath.Ext(s.out) == ".png":
		cols := s.cols
		if cols == 0 {
			cols = int(math.Ceil(math.Sqrt(float64(p.n))))
		}
		sheet, err := p.model.View().NewSheet(p.n, cols)
		if err != nil {
			err = usage(fmt.Errorf("--output: %w: draw fewer images, or choose another format",
				err))
		}
		return &gridOutput{s.out, sheet}, err
	}
	o, err := newTableOutput(s.out, p, shape)
	return inUnits{o, p.model.Config()}, err
}

// gridOutput is one picture of all images.
type gridOutput struct {
	path  string
	sheet *picture.Sheet
}

func (o *gridOutput) add(b sampleBlock) error { o.sheet.Add(b.pixels); return nil }
func (o *gridOutput) close() error            { return picture.Write(o.path, o.sheet.Image()) }
func (o *gridOutput) abandon()                { _ = file.Abandon(file.OS, o.path) }

// folderOutput is a file for each image.
type folderOutput struct {
	*picture.Folder
	dim, digits int
	file        func(name string, row []float32) error // adds a row's file
	clipped     int                                    // values of sounds beyond [-1, 1]
}

// leastDigits is the length of the numbers in the names of files, unless they are longer.
const leastDigits = 6

// digits is the length of the numbers in the names of a plan's files, with which they sort.
func digits(p *samplePlan) int {
	if p.seeds != nil {
		return max(leastDigits, p.seeds.digits())
	}
	return max(leastDigits, len(strconv.Itoa(p.n-1)))
}

func (o *folderOutput) add(b sampleBlock) error {
	for i := range b.n {
		name := fmt.Sprintf("%0*d", o.digits, b.first+i)
		if b.seeds != nil {
			name = fmt.Sprintf("seed-%0*d", o.digits, b.seeds[i])
		}
		if b.classes != nil && b.classes[i] != "" {
			name += "-" + fileName(b.classes[i])
		}
		if err := o.file(name, b.pixels[i*o.dim:(i+1)*o.dim]); err != nil {
			return err
		}
	}
	return nil
}

func (o *folderOutput) close() error {
	if o.clipped > 0 {
		notice(fmt.Sprintf("WARNING: %s values were beyond [-1, 1], and are clipped in the WAV "+
			"files", humanize.Comma(int64(o.clipped))))
	}
	return o.Close()
}

func (o *folderOutput) abandon() { o.Abandon() }

// fileName replaces what some systems do not allow in the names of files.
func fileName(class string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, class)
}

// tableOutput is a row for each image: its seed and its class, where it has them, and its pixels.
// A .npy file has no room but for the pixels.
type tableOutput struct {
	*table.Writer
	pixelsOnly bool
}

func newTableOutput(path string, p *samplePlan, shape data.Shape) (*tableOutput, error) {
	o := &tableOutput{pixelsOnly: filepath.Ext(path) == ".npy"}
	var columns []table.Column
	if p.seeds != nil && !o.pixelsOnly {
		columns = append(columns, table.Column{Name: "seed", Kind: table.Int64})
	}
	if p.named && !o.pixelsOnly {
		columns = append(columns, table.Column{Name: "class", Kind: table.String})
	}
	columns = append(columns, table.Column{
		Name: "image", Kind: table.Float32, Dims: shape.Dims(p.n)[1:],
	})
	var err error
	o.Writer, err = table.Create(path, columns...)
	return o, err
}

func (o *tableOutput) add(b sampleBlock) error {
	var blocks []any
	if b.seeds != nil && !o.pixelsOnly {
		blocks = append(blocks, b.seeds)
	}
	if b.classes != nil && !o.pixelsOnly {
		blocks = append(blocks, b.classes)
	}
	return o.Append(append(blocks, b.pixels)...)
}

func (o *tableOutput) close() error { return o.Close() }
func (o *tableOutput) abandon()     { o.Abandon() }

// arrayOutput is a .npy array on stdout.
type arrayOutput struct {
	to    *bufio.Writer
	bytes []byte
}

func newArrayOutput(dims []int) (*arrayOutput, error) {
	o := &arrayOutput{to: bufio.NewWriter(os.Stdout)}
	_, err := o.to.Write(npy.NewHeader(npy.Float32, dims...))
	return o, err
}

func (o *arrayOutput) add(b sampleBlock) (err error) {
	if o.bytes, err = binary.Append(o.bytes[:0], binary.LittleEndian, b.pixels); err != nil {
		return err
	}
	_, err = o.to.Write(o.bytes)
	return err
}

func (o *arrayOutput) close() error { return o.to.Flush() }
func (o *arrayOutput) abandon()     {}
