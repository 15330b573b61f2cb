package data

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg" // decoder
	_ "image/png"  // decoder
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/image/draw"
	"golang.org/x/sync/errgroup"
)

// readPictures decodes the files into images of that shape, of one channel if none has a color.
func readPictures(ctx context.Context, paths []string, shape Shape) (*array, error) {
	a := &array{shape: shape, m: len(paths), u8: make([]uint8, len(paths)*shape.Dim())}
	colored, err := a.decodeAll(ctx, paths)
	if err == nil && !colored {
		a.dropColor()
	}
	return a, err
}

func undecodable(path string, err error) error {
	return fmt.Errorf("data: %s: expected a PNG or JPEG image: %w", path, err)
}

// decodeAll fills the array, image i from paths[i], and reports whether any has a color.
func (a *array) decodeAll(ctx context.Context, paths []string) (colored bool, err error) {
	d := a.shape.Dim()
	var color atomic.Bool
	err = forEach(ctx, len(paths), func(i int) error {
		canvas, err := decodeImage(paths[i], a.shape)
		if err != nil {
			return err
		}
		if copyPixels(a.u8[i*d:(i+1)*d], canvas.Pix, a.shape.C) {
			color.Store(true)
		}
		return nil
	})
	return color.Load(), err
}

// decodeImage decodes a file onto a white canvas of the shape's size. The filter is
// Catmull-Rom's, which widens with the reduction, so that every source pixel counts.
func decodeImage(path string, shape Shape) (*image.RGBA, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	defer f.Close()
	src, _, err := image.Decode(f)
	if err != nil {
		return nil, undecodable(path, err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, shape.W, shape.H))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	if b := src.Bounds(); b.Size() == canvas.Bounds().Size() {
		draw.Draw(canvas, canvas.Bounds(), src, b.Min, draw.Over)
	} else {
		draw.CatmullRom.Scale(canvas, canvas.Bounds(), src, centralSquare(b), draw.Over, nil)
	}
	return canvas, nil
}

func centralSquare(b image.Rectangle) image.Rectangle {
	side := min(b.Dx(), b.Dy())
	x, y := b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2
	return image.Rect(x, y, x+side, y+side)
}

// copyPixels writes opaque RGBA pixels as c channels and reports whether c = 3 and any is not
// gray. One channel is the luma of ITU-R BT.601, which leaves grays as they are.
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

// dropColor keeps one of three equal channels.
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

// forEach calls f(0) ... f(n-1) on all cores and returns the first error met.
func forEach(ctx context.Context, n int, f func(i int) error) error {
	var g errgroup.Group
	var next atomic.Int64
	for range min(n, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				err := ctx.Err()
				if err == nil {
					err = f(i)
				}
				if err != nil {
					next.Store(int64(n)) // the others stop too
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
