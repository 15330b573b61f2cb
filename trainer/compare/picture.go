package compare

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/metric"
)

// Of the picture: images per row, rows per contestant, and pixels around a label.
const (
	blockColumns = 16
	blockRows    = 2
	margin       = 8
)

// block is a row of the picture: a label and images.
type block struct {
	label  string
	images image.Image
}

// WriteSamples draws one picture, a PNG: the first images of the data, then samples of every contestant's run
// with the first seed, each beside its label. Runs that are not done are left out.
func (r *Results) WriteSamples(ctx context.Context, path string) error {
	var blocks []block
	for i, row := range r.Rows {
		run := r.Runs[i] // the seeds are outermost
		if !run.Done {
			continue
		}
		if blocks == nil {
			b, err := r.real(ctx, row)
			if err != nil {
				return err
			}
			blocks = append(blocks, b)
		}
		b, err := r.samples(ctx, row, run)
		if err != nil {
			return fmt.Errorf("samples of %s: %w", row.Name, err)
		}
		blocks = append(blocks, b)
	}
	if blocks == nil {
		return nil
	}
	return writePNG(path, stack(blocks))
}

// real is the first images of the data.
func (r *Results) real(ctx context.Context, row Row) (block, error) {
	c, err := row.config(r.Plan.Seeds[0])
	if err != nil {
		return block{}, err
	}
	all, err := data.Open(ctx, c.Data, c.DataOptions(nil))
	if err != nil {
		return block{}, err
	}
	index := make([]int, min(blockColumns*blockRows, all.Len()))
	for i := range index {
		index[i] = i
	}
	pixels := make([]float32, len(index)*all.Shape().Dim())
	all.Gather(pixels, index)
	picture, err := metric.Grid(pixels, metric.Shape(all.Shape()), blockColumns)
	return block{"data", picture}, err
}

// samples draws from a run with its own solver.
func (r *Results) samples(ctx context.Context, row Row, run Outcome) (block, error) {
	c, err := row.config(run.Seed)
	if err != nil {
		return block{}, err
	}
	g, err := trainer.LoadGenerator(run.Dir, true, c.Threads)
	if err != nil {
		return block{}, err
	}
	defer g.Close()
	const n = blockColumns * blockRows
	pixels := make([]float32, n*g.Dim())
	if err := g.Sample(ctx, pixels, n, c.Solver, c.SolverSteps, run.Seed); err != nil {
		return block{}, err
	}
	picture, err := metric.Grid(pixels, metric.Shape(g.Shape()), blockColumns)
	return block{row.Name, picture}, err
}

// stack puts the blocks below each other, with their labels on the left.
func stack(blocks []block) image.Image {
	face := basicfont.Face7x13
	var label, width, height int
	for _, b := range blocks {
		label = max(label, font.MeasureString(face, b.label).Ceil())
		width = max(width, b.images.Bounds().Dx())
		height += b.images.Bounds().Dy() + margin
	}
	left := label + 2*margin
	canvas := image.NewNRGBA(image.Rect(0, 0, left+width+margin, height+margin))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	y := margin
	for _, b := range blocks {
		size := b.images.Bounds().Size()
		draw.Draw(canvas, image.Rect(left, y, left+size.X, y+size.Y), b.images, b.images.Bounds().Min, draw.Src)
		text := font.Drawer{Dst: canvas, Src: image.NewUniform(color.Black), Face: face}
		text.Dot = fixed.P(margin+label-font.MeasureString(face, b.label).Ceil(), y+(size.Y+face.Ascent)/2)
		text.DrawString(b.label)
		y += size.Y + margin
	}
	return canvas
}

func writePNG(path string, picture image.Image) error {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o666), renameio.WithTempDir(filepath.Dir(path)))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer file.Cleanup()
	if err := png.Encode(file, picture); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
