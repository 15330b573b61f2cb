package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
)

const (
	separator = 2       // pixels between tiles, and around the grid
	pairGap   = 8       // pixels between a row of pairs and the next
	tileMin   = 56      // pixels, the minimum of the longer side of a tile
	stripRows = 8       // pixels, the height of a tile of shape 1 x W
	gridMax   = 1 << 28 // pixels in a grid
)

var background = color.Gray{0x58}

// WriteGrid draws n images (pixels is n x H x W x C) as a PNG, cols to a row. Small images are
// enlarged by the smallest integer factor that makes their longer side at least 56 pixels; images
// of shape 1 x W are drawn as strips. Values are clamped to [-1, 1] and rounded to 8 bits; NaN is
// drawn like -1. C = 3 is drawn in colour, any other C as its first channel in gray.
//
// The file is written atomically; its directory must exist. It is an error if there are no images,
// if there are too many for a picture, or if the file system fails.
func WriteGrid(path string, pixels []float32, shape data.Shape, cols int) error {
	canvas, err := Grid(pixels, shape, cols)
	return write(path, canvas, err)
}

// Grid returns the picture that WriteGrid stores. It is an error if there are no images, or too
// many for a picture.
func Grid(pixels []float32, shape data.Shape, cols int) (image.Image, error) {
	sheet, err := NewSheet(shape, len(tiles(pixels, shape)), cols)
	if err != nil {
		return nil, err
	}
	sheet.Add(pixels)
	return sheet.canvas, nil
}

// Sheet is a grid to which images are added as they come.
type Sheet struct {
	shape   data.Shape
	n, cols int
	at      int // the next image
	canvas  draw.Image

	view   *View     // of signals, which are drawn by Image; nil: pictures
	curves []float32 // added so far
}

// NewSheet returns an empty grid for n images, cols to a row. It is an error if there are no
// images, or too many for a picture.
func NewSheet(shape data.Shape, n, cols int) (*Sheet, error) {
	if cols < 1 {
		panic(panicColumns)
	}
	_, height := tileSize(shape)
	rows := (n + cols - 1) / cols
	canvas, err := newSheet(shape, min(n, cols), separator+rows*(height+separator))
	return &Sheet{shape: shape, n: n, cols: cols, canvas: canvas}, err
}

// Add draws the next images. It panics if there are more than the grid is for.
func (s *Sheet) Add(pixels []float32) {
	if s.view != nil {
		s.curves = append(s.curves, pixels...)
		if len(s.curves) > s.n*s.shape.Dim() {
			panic("picture: more signals than the Sheet is for")
		}
		return
	}
	for _, img := range tiles(pixels, s.shape) {
		if s.at == s.n {
			panic("picture: more images than the Sheet is for")
		}
		at := tilePlace(s.shape, s.at, s.cols).Min
		drawTile(s.canvas, at.X, at.Y, img, s.shape)
		s.at++
	}
}

// tilePlace is where image i of a grid is drawn.
func tilePlace(shape data.Shape, i, cols int) image.Rectangle {
	width, height := tileSize(shape)
	at := image.Pt(separator+i%cols*(width+separator), separator+i/cols*(height+separator))
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(width, height))}
}

// Image returns the picture, which must not be changed.
func (s *Sheet) Image() image.Image {
	if s.view == nil {
		return s.canvas
	}
	var panels []panel
	for _, x := range tiles(s.curves, s.shape) {
		panels = append(panels, panel{lines: []curve{{x: x}}})
	}
	drawn, err := s.view.draw(panels, s.cols, "")
	if err != nil {
		return image.NewGray(image.Rect(0, 0, 1, 1)) // nothing was added
	}
	return drawn
}

// WritePairs draws rows of top, each with the row of bottom directly below, such as originals above
// their reconstructions. Both are n x H x W x C; everything else is as in WriteGrid.
func WritePairs(path string, top, bottom []float32, shape data.Shape, cols int) error {
	canvas, err := Pairs(top, bottom, shape, cols)
	return write(path, canvas, err)
}

// Pairs returns the picture that WritePairs stores. It is an error if there are no images, or too
// many for a picture.
func Pairs(top, bottom []float32, shape data.Shape, cols int) (image.Image, error) {
	if len(top) != len(bottom) {
		panic(panicPairs)
	}
	upper, lower := chunks(tiles(top, shape), cols), chunks(tiles(bottom, shape), cols)
	var rows [][][]float32
	var tops []int
	_, height := tileSize(shape)
	for i, y := 0, separator; i < len(upper); i, y = i+1, y+2*height+separator+pairGap {
		rows = append(rows, upper[i], lower[i])
		tops = append(tops, y, y+height+separator)
	}
	return drawRows(rows, tops, shape)
}

// tiles splits pixels into images.
func tiles(pixels []float32, shape data.Shape) [][]float32 {
	d := shape.Dim()
	if d <= 0 || len(pixels)%d != 0 {
		panic(panicLength)
	}
	return chunks(pixels, d)
}

// chunks splits s into pieces of n; the last may be shorter.
func chunks[T any](s []T, n int) (pieces [][]T) {
	if n < 1 {
		panic(panicColumns)
	}
	for ; len(s) > n; s = s[n:] {
		pieces = append(pieces, s[:n])
	}
	if len(s) > 0 {
		pieces = append(pieces, s)
	}
	return pieces
}

// scaleOf returns the pixels drawn for each pixel of an image, across and down.
func scaleOf(s data.Shape) (x, y int) {
	x = (tileMin + max(s.H, s.W) - 1) / max(s.H, s.W)
	if s.H == 1 {
		return x, stripRows
	}
	return x, x
}

// tileSize returns the size of a drawn image.
func tileSize(s data.Shape) (width, height int) {
	x, y := scaleOf(s)
	return s.W * x, s.H * y
}

// drawRows draws rows of images, row i with its upper edge at tops[i].
func drawRows(rows [][][]float32, tops []int, shape data.Shape) (image.Image, error) {
	if len(rows) == 0 {
		return nil, errNone
	}
	tileW, tileH := tileSize(shape)
	canvas, err := newSheet(shape, len(rows[0]), tops[len(tops)-1]+tileH+separator)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		for j, img := range row {
			drawTile(canvas, separator+j*(tileW+separator), tops[i], img, shape)
		}
	}
	return canvas, nil
}

var errNone = errors.New("no images")

// newSheet returns the background of a picture with cols images in a row.
func newSheet(shape data.Shape, cols, height int) (draw.Image, error) {
	if cols < 1 {
		return nil, errNone
	}
	tileW, _ := tileSize(shape)
	width := separator + cols*(tileW+separator)
	if width > gridMax/height {
		return nil, fmt.Errorf("a picture of %d x %d pixels is too large", width, height)
	}
	canvas := newCanvas(width, height, shape.C)
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(background), image.Point{}, draw.Src)
	return canvas, nil
}

func newCanvas(width, height, channels int) draw.Image {
	if channels == 3 {
		return image.NewNRGBA(image.Rect(0, 0, width, height))
	}
	return image.NewGray(image.Rect(0, 0, width, height))
}

// drawTile draws one image with its upper left corner at (left, top).
func drawTile(canvas draw.Image, left, top int, img []float32, shape data.Shape) {
	sx, sy := scaleOf(shape)
	drawScaled(canvas, left, top, img, shape, sx, sy)
}

// drawScaled draws one image, each of its pixels as sx x sy.
func drawScaled(
	canvas draw.Image, left, top int, img []float32, shape data.Shape, sx, sy int,
) {
	levels := make([]uint8, len(img))
	kernel.F32ToU8(levels, img)
	for y := range shape.H {
		for x := range shape.W {
			c := pixelColor(levels[(y*shape.W+x)*shape.C:][:shape.C])
			for v := range sy {
				for u := range sx {
					canvas.Set(left+x*sx+u, top+y*sy+v, c)
				}
			}
		}
	}
}

func pixelColor(channels []uint8) color.Color {
	if len(channels) == 3 {
		return color.NRGBA{channels[0], channels[1], channels[2], 255}
	}
	return color.Gray{channels[0]}
}
