// Package raster reads pictures: PNG, JPEG, GIF, BMP, TIFF and WebP, by what they hold and never by
// their names, upright as their orientation tags say, and the first where a file has several.
//
// The decoders are those of the standard library and of golang.org/x/image. What they refuse
// although other software reads it (surplus pixel data, damaged colour profiles), and what they
// get wrong (the range of the colours of WebP), is mended on the way to them and from them.
package raster

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
)

// Content is what a file holds. *io.SectionReader, *bytes.Reader and *strings.Reader are such.
type Content interface {
	io.ReaderAt
	Size() int64
}

// Format is a format of pictures that can be read.
type Format int

// The formats. None is that of a file which is not one of them.
const (
	None Format = iota
	PNG
	JPEG
	GIF
	BMP
	TIFF
	WebP
)

// Formats lists all of them.
func Formats() []Format { return []Format{PNG, JPEG, GIF, BMP, TIFF, WebP} }

func (f Format) String() string {
	return [...]string{"no picture", "PNG", "JPEG", "GIF", "BMP", "TIFF", "WebP"}[f]
}

// HeadLen is how many bytes Sniff and Other look at.
const HeadLen = 32

// Sniff tells the format of a file by its first bytes.
func Sniff(head []byte) Format {
	has := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch {
	case has(pngMagic):
		return PNG
	case has("\xff\xd8\xff"):
		return JPEG
	case has("GIF87a"), has("GIF89a"):
		return GIF
	case has("II*\x00"), has("MM\x00*"):
		return TIFF
	case has("RIFF") && len(head) >= 12 && string(head[8:12]) == "WEBP":
		return WebP
	case has("BM") && isBMP(head):
		return BMP
	}
	return None
}

// isBMP looks beyond two letters with which a text may begin: at bytes that are reserved, and at
// the length of the second header.
func isBMP(head []byte) bool {
	if len(head) < 18 || !bytes.Equal(head[6:10], make([]byte, 4)) {
		return false
	}
	return head[14] >= 12 && head[14] <= 124 && bytes.Equal(head[15:18], make([]byte, 3))
}

// Header is what the head of a picture says.
type Header struct {
	Format        Format
	Width, Height int   // in pixels, as the picture is shown: after it is turned
	Orientation   int   // as in Exif: 1, upright, to 8
	Gray          bool  // it can only be gray
	Several       bool  // it is animated or has several pages; the first is read
	Bytes         int64 // memory that decoding it takes at most, with the decoded picture
}

// MaxPixels bounds one picture: a few false bytes in a header must not ask for all memory.
const MaxPixels = 1 << 28

var errFormat = errors.New("is not a picture")

// ReadHeader reads the header of a picture, which is not nearly all of it in most formats.
func ReadHeader(c Content) (h Header, err error) {
	defer contain(&err)
	head := make([]byte, HeadLen)
	n, err := c.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return Header{}, err
	}
	read := map[Format]func(Content) (Header, error){
		PNG: pngHeader, JPEG: jpegHeader, GIF: gifHeader, BMP: bmpHeader, TIFF: tiffHeader,
		WebP: webpHeader,
	}[Sniff(head[:n])]
	if read == nil {
		return Header{}, errFormat
	}
	if h, err = read(c); err != nil {
		return Header{}, err
	}
	h.Format = Sniff(head[:n])
	if h.Width < 1 || h.Height < 1 || h.Width > MaxPixels/h.Height {
		return Header{}, fmt.Errorf("has %d x %d pixels; expected at least one and at most %d",
			h.Width, h.Height, MaxPixels)
	}
	h.Bytes *= int64(h.Width) * int64(h.Height) // the readers give those of a pixel
	if h.Orientation < 1 || h.Orientation > 8 {
		h.Orientation = 1
	}
	if h.Orientation > 1 {
		h.Bytes += turningBytes * int64(h.Width) * int64(h.Height)
	}
	if h.Orientation > 4 {
		h.Width, h.Height = h.Height, h.Width
	}
	return h, nil
}

// Decode decodes a picture whose header is h, and turns it upright.
func Decode(c Content, h Header) (m image.Image, err error) {
	defer contain(&err)
	m, err = map[Format]func(Content) (image.Image, error){
		PNG: decodePNG, JPEG: decodeJPEG, GIF: decodeGIF, BMP: decodeBMP, TIFF: decodeTIFF,
		WebP: decodeWebP,
	}[h.Format](c)
	if err != nil {
		return nil, err
	}
	m = Upright(m, h.Orientation)
	if size := m.Bounds().Size(); size != image.Pt(h.Width, h.Height) {
		return nil, fmt.Errorf("has %d x %d pixels, and %d x %d by its header", size.X, size.Y,
			h.Width, h.Height)
	}
	return m, nil
}

// contain makes an error of a decoder's panic: a file must not end the process.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the decoder failed: %v", r)
	}
}

// all reads a content from its beginning.
func all(c Content) io.Reader { return io.NewSectionReader(c, 0, c.Size()) }

// readAt fills b with the bytes at that place.
func readAt(c Content, b []byte, at int64) error {
	n, err := c.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
