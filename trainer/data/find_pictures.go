package data

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/plume-ml/plume/trainer/memory"
)

// maxPixels bounds one image file: a few false bytes in a header must not ask for all memory.
const maxPixels = 1 << 28

// maxImageBytes bounds the images of a directory, which are kept in memory, a byte per value.
const maxImageBytes = 16 << 30

// findPictures looks at the PNG and JPEG images in and below dir. Transparent pixels lie on white.
// With Size, the central square of each image is scaled to Size x Size; otherwise all must
// have one size. The data have one channel if Gray is set or if no image has any color.
// Orientation tags of JPEG files are not heeded.
func findPictures(ctx context.Context, dir string, opt Options) (*Found, error) {
	paths, err := listPictures(ctx, dir)
	if err != nil {
		return nil, err
	}
	sizes, gray, err := pictureHeaders(ctx, paths)
	if err != nil {
		return nil, err
	}
	shape := Shape{sizes[0].Y, sizes[0].X, 3}
	if opt.Size > 0 {
		shape.H, shape.W = opt.Size, opt.Size
	} else if err := checkSizes(dir, paths, sizes); err != nil {
		return nil, err
	}
	if opt.Gray || gray {
		shape.C = 1
	}
	if err := checkMemory(dir, len(paths), shape); err != nil {
		return nil, err
	}
	f := &Found{
		Len: len(paths), Shape: shape, Bytes: memory.Array[uint8](len(paths), shape.Dim()),
		Loading: decodingBytes(sizes, shape),
		Summary: Summary{Format: "PNG and JPEG pictures"},
		read:    func(ctx context.Context) (*array, error) { return readPictures(ctx, paths, shape) },
	}
	if shape.C == 3 {
		f.Loading = max(f.Loading, f.Bytes/3) // if it turns out that there is no color
	}
	return f.named(baseName(dir)), nil
}

// pictureHeaders reads the sizes of pictures, and whether by their formats all can only be gray.
func pictureHeaders(ctx context.Context, paths []string) (sizes []image.Point, gray bool, err error) {
	sizes = make([]image.Point, len(paths))
	var colored atomic.Bool
	err = forEach(ctx, len(paths), func(i int) error {
		size, gray, err := pictureHeader(paths[i])
		sizes[i] = size
		if !gray {
			colored.Store(true)
		}
		return err
	})
	return sizes, !colored.Load(), err
}

// pictureHeader reads width and height in the header of an image, and whether it can only be gray.
func pictureHeader(path string) (size image.Point, gray bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return image.Point{}, false, fmt.Errorf("data: %w", err)
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	if err != nil {
		return image.Point{}, false, undecodable(path, err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height {
		return image.Point{}, false, fmt.Errorf("data: %s: has %d x %d pixels; expected at least one and at most %d", path, c.Width, c.Height, maxPixels)
	}
	return image.Pt(c.Width, c.Height), c.ColorModel == color.GrayModel || c.ColorModel == color.Gray16Model, nil
}

// decodedPixel is the most bytes that a pixel takes in a decoded file, one of 16 bits a channel; most
// take half as many or fewer.
const decodedPixel = 8

// decodingBytes is the memory of the pictures decoded at once, the largest ones, each with its
// canvas and, where it is scaled, with the rows between its two passes, of four float64 a pixel.
func decodingBytes(sizes []image.Point, shape Shape) int64 {
	var most int64
	for _, s := range sizes {
		bytes := memory.Array[uint8](decodedPixel, s.X, s.Y) + memory.Array[uint8](4, shape.W, shape.H)
		if s != image.Pt(shape.W, shape.H) {
			bytes += memory.Array[float64](4, shape.W, min(s.X, s.Y))
		}
		most = max(most, bytes)
	}
	return int64(min(len(sizes), runtime.GOMAXPROCS(0))) * most
}

func checkSizes(dir string, paths []string, sizes []image.Point) error {
	for i, s := range sizes {
		if s != sizes[0] {
			return fmt.Errorf("data: %s: images differ in size: %s has %d x %d pixels and %s has %d x %d; expected one size (--size scales them all)",
				dir, paths[0], sizes[0].X, sizes[0].Y, paths[i], s.X, s.Y)
		}
	}
	return nil
}

// checkMemory refuses n images that are too large each or together.
func checkMemory(dir string, n int, shape Shape) error {
	if shape.Validate() != nil || int64(n) > min(maxImageBytes, math.MaxInt)/int64(shape.Dim()) {
		return fmt.Errorf("data: %s: holds %d images of %v, %.3g GiB; expected at most %d values in an image and %d GiB in all (--size scales images down, --gray keeps one channel of three)",
			dir, n, shape, float64(n)*float64(shape.H)*float64(shape.W)*float64(shape.C)/(1<<30), MaxDim, maxImageBytes>>30)
	}
	return nil
}
