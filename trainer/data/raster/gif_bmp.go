package raster

import (
	"bufio"
	"image"
	"image/draw"
	"image/gif"
	"io"

	"golang.org/x/image/bmp"
)

func bmpHeader(c Content) (Header, error) {
	config, err := bmp.DecodeConfig(all(c))
	return Header{Width: config.Width, Height: config.Height, Bytes: 8}, err
}

func decodeBMP(c Content) (image.Image, error) { return bmp.Decode(bufio.NewReader(all(c))) }

func gifHeader(c Content) (Header, error) {
	config, err := gif.DecodeConfig(all(c))
	h := Header{Width: config.Width, Height: config.Height, Bytes: 8}
	if err == nil {
		h.Multiple = gifFrames(c)
	}
	return h, err
}

// gifFrames reports whether a GIF file has more than one frame. The file is a sequence of blocks,
// extensions and frames, whose data are split into sub-blocks, each preceded by a length byte.
func gifFrames(c Content) bool {
	r := bufio.NewReader(all(c))
	var head [13]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return false
	}
	table := func(flags byte) (bytes int) {
		if flags&0x80 != 0 {
			bytes = 3 << (flags&7 + 1)
		}
		return bytes
	}
	r.Discard(table(head[10]))
	for frames := 0; ; {
		block, err := r.ReadByte()
		if err != nil {
			return false
		}
		switch block {
		case 0x21:
			r.Discard(1)
		case 0x2C:
			if frames++; frames > 1 {
				return true
			}
			if _, err := io.ReadFull(r, head[:9]); err != nil {
				return false
			}
			r.Discard(table(head[8]) + 1)
		default:
			return false
		}
		for n := byte(1); n > 0; {
			if n, err = r.ReadByte(); err != nil {
				return false
			}
			r.Discard(int(n))
		}
	}
}

// decodeGIF draws the first frame on the logical screen of the file. The frame may fill only a part
// of it; the rest is transparent.
func decodeGIF(c Content) (image.Image, error) {
	config, err := gif.DecodeConfig(all(c))
	if err != nil {
		return nil, err
	}
	m, err := gif.Decode(all(c))
	if err != nil {
		return nil, err
	}
	screen := image.Rect(0, 0, config.Width, config.Height)
	if m.Bounds() == screen {
		return m, nil
	}
	canvas := image.NewRGBA(screen)
	draw.Draw(canvas, m.Bounds(), m, m.Bounds().Min, draw.Src)
	return canvas, nil
}
