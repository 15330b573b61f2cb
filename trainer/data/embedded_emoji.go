package data

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"

	"github.com/plume-ml/plume/trainer/data/raster"
	"github.com/plume-ml/plume/trainer/memory"
)

// emoji are 3,762 colour pictures of 32 x 32 pixels, the Noto emoji of Emoji 16.0. They are the
// cells of one sheet, row by row and from the left, in the order of the classes; within a class
// they are in Unicode's order, variants with skin tones after the picture that they vary.
type emoji struct{ head raster.Header }

const (
	emojiFile = "emoji.webp"
	emojiSide = 32

	// emojiDecoding is the memory of decoding the sheet beside the decoded picture, as measured.
	// The bound of package raster, which holds for any picture, is 40 MB larger.
	emojiDecoding = 8 << 20
)

// emojiClasses are the groups of Unicode's emoji list, by the first word of their names, and the
// number of their pictures.
var emojiClasses = []struct {
	name  string
	count int
}{
	{"smileys", 169},
	{"people", 2251},
	{"animals", 159},
	{"food", 131},
	{"travel", 218},
	{"activities", 85},
	{"objects", 264},
	{"symbols", 224},
	{"flags", 261},
}

func emojiLen() int {
	n := 0
	for _, c := range emojiClasses {
		n += c.count
	}
	return n
}

func emojiSheet() (*bytes.Reader, error) {
	raw, err := embeddedFiles.ReadFile("embedded/" + emojiFile)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return bytes.NewReader(raw), nil
}

func findEmoji(context.Context) (*Found, error) {
	sheet, err := emojiSheet()
	if err != nil {
		return nil, err
	}
	head, err := raster.ReadHeader(sheet)
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", emojiFile, err)
	}
	h := header{m: emojiLen(), shape: Shape{emojiSide, emojiSide, 3}, width: 1}
	return &Found{
		Len:      h.m,
		Shape:    h.shape,
		Bytes:    h.bytes() + memory.Array[int32](h.m),
		Loading:  memory.Array[uint8](4, head.Width, head.Height) + emojiDecoding,
		images:   emoji{head},
		labelled: true,
	}, nil
}

// readImages reads images and labels.
func (e emoji) readImages(ctx context.Context) (*array, error) {
	sheet, err := emojiSheet()
	if err != nil {
		return nil, err
	}
	m, err := raster.Decode(sheet, e.head)
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", emojiFile, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shape, n := Shape{emojiSide, emojiSide, 3}, emojiLen()
	a := &array{
		shape:  shape,
		m:      n,
		u8:     make([]uint8, n*shape.Dim()),
		labels: make([]int32, 0, n),
	}
	for label, c := range emojiClasses {
		a.classes = append(a.classes, c.name)
		for range c.count {
			a.labels = append(a.labels, int32(label))
		}
	}
	across := e.head.Width / emojiSide
	cell := image.NewRGBA(image.Rect(0, 0, emojiSide, emojiSide))
	for i := range n {
		at := image.Pt(i%across, i/across).Mul(emojiSide)
		draw.Draw(cell, cell.Bounds(), m, at, draw.Src)
		copyPixels(a.u8[i*shape.Dim():][:shape.Dim()], cell.Pix, shape.C)
	}
	return a, nil
}
