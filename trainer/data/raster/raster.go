// Package raster decodes PNG, JPEG, GIF, BMP, TIFF and WebP pictures. ReadHeader reads the size and
// the like, Decode the pixels. The format is detected from the content, never from a name; pictures
// are rotated upright according to their orientation tags; of an animation or a file of several
// pages the first picture is read.
//
// The decoders are those of the standard library and of golang.org/x/image. This package works
// around files that they refuse although other software reads them (surplus pixel data, damaged
// color profiles) and around the range of colors in WebP, which they get wrong.
package raster

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
)

// Content is the content of a file. *io.SectionReader, *bytes.Reader and *strings.Reader implement
// it.
type Content interface {
	io.ReaderAt
	Size() int64
}

// Format is a picture format.
type Format int

// The formats that can be read. None stands for all others.
const (
	None Format = iota
	PNG
	JPEG
	GIF
	BMP
	TIFF
	WebP
)

// Formats lists the formats that can be read.
func Formats() []Format { return []Format{PNG, JPEG, GIF, BMP, TIFF, WebP} }

func (f Format) String() string {
	return [...]string{"no picture", "PNG", "JPEG", "GIF", "BMP", "TIFF", "WebP"}[f]
}

// HeadLen is the number of bytes that Sniff and Other need.
const HeadLen = 32

// Sniff detects the format of a file from its first bytes.
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

// isBMP checks reserved bytes and the length of the second header: a text may begin with "BM", too.
func isBMP(head []byte) bool {
	if len(head) < 18 || !bytes.Equal(head[6:10], make([]byte, 4)) {
		return false
	}
	return head[14] >= 12 && head[14] <= 124 && bytes.Equal(head[15:18], make([]byte, 3))
}

// Header describes a picture.
type Header struct {
	Format        Format
	Width, Height int   // in pixels, when upright
	Orientation   int   // as in Exif, 1 (upright) to 8
	Gray          bool  // the format of the pixels has no color
	Multiple      bool  // animated, or several pages; the first picture is read
	Bytes         int64 // upper bound of the memory for decoding, including the decoded picture
}

// maxPixels limits the size of a picture: a damaged header must not exhaust the memory.
const maxPixels = 1 << 28

var errFormat = errors.New("is not a picture")

// ReadHeader reads the header of a picture. In most formats that is a small part of the file.
func ReadHeader(c Content) (h Header, err error) {
	defer catchPanic(&err)
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
	if h.Width < 1 || h.Height < 1 || h.Width > maxPixels/h.Height {
		return Header{}, fmt.Errorf("has %d x %d pixels; expected at least one and at most %d",
			h.Width, h.Height, maxPixels)
	}
	h.Bytes *= int64(h.Width) * int64(h.Height) // read gives them per pixel
	if h.Orientation < 1 || h.Orientation > 8 {
		h.Orientation = 1
	}
	if h.Orientation > 1 {
		h.Bytes += rotationBytes * int64(h.Width) * int64(h.Height)
	}
	if h.Orientation > 4 {
		h.Width, h.Height = h.Height, h.Width
	}
	return h, nil
}

// Decode decodes the picture whose header is h and rotates it upright.
func Decode(c Content, h Header) (m image.Image, err error) {
	defer catchPanic(&err)
	m, err = map[Format]func(Content) (image.Image, error){
		PNG: decodePNG, JPEG: decodeJPEG, GIF: decodeGIF, BMP: decodeBMP, TIFF: decodeTIFF,
		WebP: decodeWebP,
	}[h.Format](c)
	if err != nil {
		return nil, err
	}
	m = upright(m, h.Orientation)
	if size := m.Bounds().Size(); size != image.Pt(h.Width, h.Height) {
		return nil, fmt.Errorf("has %d x %d pixels, and %d x %d by its header", size.X, size.Y,
			h.Width, h.Height)
	}
	return m, nil
}

// contain turns a decoder's panic into an error: a bad file must not end the process.
func catchPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the decoder failed: %v", r)
	}
}

// all returns a reader of the whole content.
func all(c Content) io.Reader { return io.NewSectionReader(c, 0, c.Size()) }

// readAt fills b with the bytes at an offset. A short content gives io.ErrUnexpectedEOF.
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
