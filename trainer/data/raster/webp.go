package raster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"

	"golang.org/x/image/webp"
)

// A WebP file (RFC 9649) is a RIFF file: "RIFF", a length, "WEBP", and chunks. A chunk is a type, a
// length and the data, padded to an even number of bytes. The first chunk is either the picture,
// VP8 or VP8L, or VP8X, which gives the canvas. After VP8X follow ALPH and the picture or, in an
// animation, frames ANMF that contain such chunks; and EXIF.

// webpParts locates the chunks of the first picture.
type webpParts struct {
	canvas      image.Point // its size; 0, 0: that of the picture
	place       image.Point // of the frame on the canvas
	alpha, body span        // data of ALPH, and of VP8 or VP8L
	lossless    bool
	exif        []byte
	animated    bool
}

const chunkHead = 8

// u24 decodes a little-endian number of three bytes.
func u24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func webpScan(c Content) (*webpParts, error) {
	p := &webpParts{}
	return p, p.scan(c, span{12, c.Size()}, false)
}

var errWebP = errors.New("webp: invalid format")

// scan records the chunks in s, those of the file or of a frame.
func (p *webpParts) scan(c Content, s span, frame bool) error {
	for s.start+chunkHead <= s.end {
		var b [24]byte
		if err := readAt(c, b[:chunkHead], s.start); err != nil {
			return err
		}
		length := int64(binary.LittleEndian.Uint32(b[4:]))
		data := span{s.start + chunkHead, min(s.start+chunkHead+length, s.end)}
		kind := string(b[:4])
		switch {
		case kind == "VP8X" && !frame:
			if length < 10 || readAt(c, b[:10], data.start) != nil {
				return errWebP
			}
			p.canvas = image.Pt(u24(b[4:])+1, u24(b[7:])+1)
		case kind == "ANMF" && !frame && p.body.end == 0:
			p.animated = true
			if length < 16 || readAt(c, b[:16], data.start) != nil {
				return errWebP
			}
			p.place = image.Pt(2*u24(b[:]), 2*u24(b[3:]))
			if err := p.scan(c, span{data.start + 16, data.end}, true); err != nil {
				return err
			}
		case kind == "ALPH" && p.body.end == 0:
			p.alpha = data
		case (kind == "VP8 " || kind == "VP8L") && p.body.end == 0:
			p.body, p.lossless = data, kind == "VP8L"
		case kind == "EXIF" && !frame && length <= maxExif && p.exif == nil:
			p.exif = make([]byte, data.end-data.start)
			if err := readAt(c, p.exif, data.start); err != nil {
				return err
			}
		}
		s.start = data.start + length + length&1
	}
	if p.body.end == 0 {
		return errWebP
	}
	return nil
}

// picture returns the first picture as a WebP file of its own, and its size.
func (p *webpParts) picture(c Content) (io.Reader, image.Point, error) {
	head := make([]byte, 10)
	if err := readAt(c, head[:5], p.body.start); err != nil {
		return nil, image.Point{}, err
	}
	var size image.Point
	if p.lossless {
		bits := binary.LittleEndian.Uint32(head[1:])
		size = image.Pt(int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1)
		return riff(c, "VP8L", p.body), size, nil
	}
	if err := readAt(c, head, p.body.start); err != nil {
		return nil, image.Point{}, err
	}
	size = image.Pt(int(head[6])|int(head[7]&0x3f)<<8, int(head[8])|int(head[9]&0x3f)<<8)
	if p.alpha.end == 0 || size.X < 1 || size.Y < 1 {
		return riff(c, "VP8 ", p.body), size, nil
	}
	const hasAlpha = 1 << 4
	canvas := []byte("VP8X\x0a\x00\x00\x00")
	w, h := size.X-1, size.Y-1
	canvas = append(canvas, hasAlpha, 0, 0, 0, byte(w), byte(w>>8), 0, byte(h), byte(h>>8), 0)
	return riff(c, string(canvas)+"ALPH", p.alpha, "VP8 ", p.body), size, nil
}

// riff returns a WebP file of chunks. For each chunk, parts has a string, the bytes before its
// length, and a span, which locates its data in c.
func riff(c Content, parts ...any) io.Reader {
	var readers []io.Reader
	size := int64(4)
	for i := 0; i < len(parts); i += 2 {
		name, data := []byte(parts[i].(string)), parts[i+1].(span)
		length := data.end - data.start
		name = binary.LittleEndian.AppendUint32(name, uint32(length))
		readers = append(readers, bytes.NewReader(name), io.NewSectionReader(c, data.start, length),
			bytes.NewReader(make([]byte, length&1)))
		size += int64(len(name)) + length + length&1
	}
	head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(size))
	head = append(head, "WEBP"...)
	return io.MultiReader(append([]io.Reader{bytes.NewReader(head)}, readers...)...)
}

func webpHeader(c Content) (Header, error) {
	p, err := webpScan(c)
	if err != nil {
		return Header{}, err
	}
	file, size, err := p.picture(c)
	if err != nil {
		return Header{}, err
	}
	if _, err := webp.DecodeConfig(file); err != nil {
		return Header{}, err
	}
	if p.canvas == (image.Point{}) {
		p.canvas = size
	}
	if !p.holds(size) {
		return Header{}, errWebP
	}
	return Header{Width: p.canvas.X, Height: p.canvas.Y, Orientation: exifOrientation(p.exif),
		Multiple: p.animated, Bytes: 16}, nil
}

// holds reports whether a picture of the given size fits the canvas: exactly, unless it is a frame.
func (p *webpParts) holds(size image.Point) bool {
	if !p.animated {
		return size == p.canvas
	}
	return image.Rectangle{p.place, p.place.Add(size)}.In(image.Rectangle{Max: p.canvas})
}

func decodeWebP(c Content) (image.Image, error) {
	p, err := webpScan(c)
	if err != nil {
		return nil, err
	}
	file, size, err := p.picture(c)
	if err != nil {
		return nil, err
	}
	m, err := webp.Decode(file)
	if err != nil {
		return nil, err
	}
	m = videoColors(m)
	if p.canvas == (image.Point{}) || p.canvas == size {
		return m, nil
	}
	return onCanvas(m, p.place, p.canvas), nil
}
