package data

import (
	"context"
	"fmt"
	"image"
	"slices"
	"sync/atomic"

	"golang.org/x/image/draw"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
)

// readImages decodes the pictures. The images have one channel if none of them has any color. WAV
// files become signals.
func (g *gallery) readImages(ctx context.Context) (*array, error) {
	source, err := files.Open(ctx, g.path)
	if err == nil && source == nil {
		err = fmt.Errorf("changed while it was being read")
	}
	if err != nil {
		return nil, sourceError(ctx, g.path, err)
	}
	defer source.Close()
	place, n := g.places()
	shape := g.shape
	d := shape.Dim()
	if g.sounds {
		return g.readSounds(ctx, source, place, n)
	}
	a := &array{shape: shape, m: n, u8: make([]uint8, n*d)}
	var colored atomic.Bool
	err = g.decode(ctx, source, func(i int, m image.Image) {
		row := a.u8[place[i]*d:][:d]
		if copyPixels(row, canvas(m, shape).Pix, shape.C) {
			colored.Store(true)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := g.keepWhole(a, place); err != nil {
		return nil, err
	}
	if !colored.Load() {
		a.dropColor()
	}
	return a, nil
}

// progressEvery is the number of pictures between two calls of Options.Progress.
const progressEvery = 100

// visit is source.Visit that tells Options.Progress how many files have been visited; what names
// them.
func (g *gallery) visit(
	ctx context.Context, source files.Source, list []files.File, what string, see files.Visitor,
) error {
	if g.opt.Progress == nil {
		return source.Visit(ctx, list, see)
	}
	var visited atomic.Int64
	defer g.opt.Progress("")
	return source.Visit(ctx, list, func(i int, c raster.Content, err error) {
		see(i, c, err)
		if n := int(visited.Add(1)); n%progressEvery == 0 {
			g.opt.Progress(fmt.Sprintf("%s of %s", thousands(n), counted(len(list), what)))
		}
	})
}

// places returns, for each picture, its row among those whose headers could be read, and their
// number.
func (g *gallery) places() (place []int, n int) {
	place = make([]int, len(g.pictures))
	for i, p := range g.pictures {
		place[i] = n
		if p.err == nil {
			n++
		}
	}
	return place, n
}

// broken is the kind of pictures that are skipped with SkipBroken.
func (g *gallery) broken() string { return "broken " + g.called() }

// keepWhole records the names of the images. With SkipBroken it removes those that turned out to be
// broken.
func (g *gallery) keepWhole(a *array, place []int) error {
	err := g.brokenError()
	if err != nil && !g.opt.SkipBroken {
		return err
	}
	isBroken := func(s Skipped) bool { return s.Kind == g.broken() }
	g.summary.Skipped = slices.DeleteFunc(g.summary.Skipped, isBroken)
	d := a.shape.Dim()
	kept := 0
	a.files = make([]string, 0, a.m)
	var rows []int
	for i, p := range g.pictures {
		if p.err != nil {
			g.summary.skip(g.broken(), p.file.Name)
			a.skipped = append(a.skipped, p.file.Name)
			continue
		}
		if a.u8 != nil {
			copy(a.u8[kept*d:(kept+1)*d], a.u8[place[i]*d:])
		} else {
			copy(a.f32[kept*d:(kept+1)*d], a.f32[place[i]*d:])
		}
		a.files = append(a.files, p.file.Name)
		rows = append(rows, i)
		kept++
	}
	if kept < 2 {
		return fmt.Errorf("%w: %d is left, expected at least 2", err, kept)
	}
	if err != nil {
		a.rows = append(make([]int, 0, kept), rows...)
		g.opt.warn("data: %s: %s: left out", g.path, g.brokenList())
		if !g.sounds {
			g.summary.Format, g.summary.Notes = describe(g.pictures)
		}
	}
	if a.m = kept; a.u8 != nil {
		a.u8 = a.u8[: kept*d : kept*d]
	} else {
		a.f32 = a.f32[: kept*d : kept*d]
	}
	return nil
}

// canvas draws a picture on white, scaled to the shape. The Catmull-Rom filter widens with the
// reduction, so that every pixel counts.
func canvas(m image.Image, shape Shape) *image.RGBA {
	c := image.NewRGBA(image.Rect(0, 0, shape.W, shape.H))
	draw.Draw(c, c.Bounds(), image.White, image.Point{}, draw.Src)
	if b := m.Bounds(); b.Size() == c.Bounds().Size() {
		draw.Draw(c, c.Bounds(), m, b.Min, draw.Over)
	} else {
		draw.CatmullRom.Scale(c, c.Bounds(), m, centralSquare(b), draw.Over, nil)
	}
	return c
}

func centralSquare(b image.Rectangle) image.Rectangle {
	side := min(b.Dx(), b.Dy())
	x, y := b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2
	return image.Rect(x, y, x+side, y+side)
}

// copyPixels converts opaque RGBA pixels to c channels, and reports whether c = 3 and any pixel is
// not gray. A single channel is the luma of ITU-R BT.601, which preserves grays.
func copyPixels(dst, rgba []uint8, c int) (colored bool) {
	for i := 0; i*c < len(dst); i++ {
		r, g, b := rgba[4*i], rgba[4*i+1], rgba[4*i+2]
		if c == 1 {
			dst[i] = uint8((299*int(r) + 587*int(g) + 114*int(b) + 500) / 1000)
			continue
		}
		dst[3*i], dst[3*i+1], dst[3*i+2] = r, g, b
		colored = colored || r != g || g != b
	}
	return colored
}

// dropColor reduces three equal channels to one.
func (a *array) dropColor() {
	if a.shape.C == 1 {
		return
	}
	n := len(a.u8) / 3
	for i := range n {
		a.u8[i] = a.u8[3*i]
	}
	gray := make([]uint8, n)
	copy(gray, a.u8)
	a.u8, a.shape.C = gray, 1
}
