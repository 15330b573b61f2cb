package raster

import (
	"encoding/binary"
	"errors"
	"image"
	"image/color"

	"golang.org/x/image/tiff"
)

// A TIFF file (revision 6.0) is a list of directories. A directory has a count, entries of twelve
// bytes (tag, type, count, value), and the offset of the next directory.
const (
	tiffCompression, tiffPhotometric, tiffSamples, tiffPlanar = 259, 262, 277, 284

	tiffFax3, tiffFax4 = 3, 4
	tiffBlackIsZero    = 1
)

// tiffTags are the values of the first directory, by tag.
type tiffTags struct {
	values  map[uint16]int
	several bool // there is another directory
}

func tiffScan(c Content) (tiffTags, error) {
	t := tiffTags{values: map[uint16]int{}}
	head := make([]byte, 8)
	if err := readAt(c, head, 0); err != nil {
		return t, err
	}
	order := byteOrder(head)
	at := int64(order.Uint32(head[4:]))
	if err := readAt(c, head[:2], at); err != nil {
		return t, err
	}
	n := int(order.Uint16(head))
	entries := make([]byte, 12*n)
	if err := readAt(c, entries, at+2); err != nil {
		return t, err
	}
	if readAt(c, head[:4], at+2+int64(len(entries))) == nil {
		t.several = order.Uint32(head) != 0
	}
	for e := entries; len(e) > 0; e = e[12:] {
		t.values[order.Uint16(e)] = tiffValue(order, e)
	}
	return t, nil
}

// tiffValue returns the first value of an entry if it is a short or a long stored in the entry,
// otherwise 0.
func tiffValue(order binary.ByteOrder, entry []byte) int {
	const short, long = 3, 4
	switch order.Uint16(entry[2:]) {
	case short:
		return int(order.Uint16(entry[8:]))
	case long:
		return int(order.Uint32(entry[8:]))
	}
	return 0
}

func tiffHeader(c Content) (Header, error) {
	t, err := tiffScan(c)
	if err != nil {
		return Header{}, err
	}
	if t.values[tiffPlanar] == 2 && t.values[tiffSamples] > 1 {
		return Header{}, errors.New("tiff: unsupported feature: channels one after the other " +
			"(planar configuration 2)")
	}
	config, err := tiff.DecodeConfig(all(c))
	return Header{Width: config.Width, Height: config.Height, Bytes: 16, Multiple: t.several,
		Orientation: t.values[tagOrientation],
		Gray: config.ColorModel == color.GrayModel ||
			config.ColorModel == color.Gray16Model}, err
}

// decodeTIFF decodes the first page. In fax-coded pictures the decoder always takes zeros as white,
// so that those with black zeros have to be inverted.
func decodeTIFF(c Content) (image.Image, error) {
	t, err := tiffScan(c)
	if err != nil {
		return nil, err
	}
	m, err := tiff.Decode(all(c))
	fax := t.values[tiffCompression] == tiffFax3 || t.values[tiffCompression] == tiffFax4
	if g, ok := m.(*image.Gray); ok && fax && t.values[tiffPhotometric] == tiffBlackIsZero {
		for i, v := range g.Pix {
			g.Pix[i] = ^v
		}
	}
	return m, err
}
