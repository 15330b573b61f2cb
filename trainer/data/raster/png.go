package raster

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"
)

// A PNG file (ISO/IEC 15948) is a magic number and chunks. A chunk is the length of its data, its
// type, the data, and a CRC of type and data.
const pngMagic = "\x89PNG\r\n\x1a\n"

const pngFraming = 12 // bytes of a chunk in addition to its data

// span is a range of a file's bytes.
type span struct{ start, end int64 }

// pngChunks locates the chunks that determine the pixels.
type pngChunks struct {
	size       image.Point
	depth      int // bits per sample
	color      byte
	interlaced bool
	head       []span // header, palette and transparency
	seen       map[string]bool
	data       span // consecutive chunks of pixel data
	exif       []byte
	animated   bool
}

// The bits of the color type: with a palette, in color, with an alpha channel.
const pngPalette, pngColor, pngAlpha = 1, 2, 4

func (p *pngChunks) gray() bool { return p.color&^pngAlpha == 0 }

func pngHeader(c Content) (Header, error) {
	p, err := pngScan(c)
	if err != nil {
		return Header{}, err
	}
	if _, err := png.DecodeConfig(p.file(c, p.pixels(c))); err != nil {
		return Header{}, err
	}
	h := Header{Width: p.size.X, Height: p.size.Y, Gray: p.gray(), Multiple: p.animated,
		Orientation: exifOrientation(p.exif), Bytes: 8}
	if p.interlaced {
		h.Bytes *= 2
	}
	return h, nil
}

// maxExif limits Exif data; in JPEG files, they have at most 64 KiB.
const maxExif = 1 << 20

// pngScan finds the chunks. Those after the pixel data are only searched for Exif data.
func pngScan(c Content) (*pngChunks, error) {
	p := &pngChunks{seen: map[string]bool{}}
	for at := int64(len(pngMagic)); ; {
		var b [8]byte
		if err := readAt(c, b[:], at); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) && p.begun() {
				return p, nil
			}
			return nil, err
		}
		length, kind := int64(binary.BigEndian.Uint32(b[:])), string(b[4:])
		if err := p.chunk(c, kind, at, length); err != nil {
			return nil, err
		}
		if kind == "IEND" {
			return p, nil
		}
		if at += pngFraming + length; at > c.Size() && !p.begun() {
			return nil, io.ErrUnexpectedEOF
		}
	}
}

// begun reports whether pixel data have been found.
func (p *pngChunks) begun() bool { return p.data.end > 0 }

// chunk records a chunk at offset at with length bytes of data.
func (p *pngChunks) chunk(c Content, kind string, at, length int64) error {
	chunk := span{at, at + pngFraming + length}
	switch {
	case len(p.head) == 0 && kind != "IHDR":
		return fmt.Errorf("begins with the chunk %q; expected IHDR", kind)
	case kind == "IHDR":
		if len(p.head) > 0 || length != 13 {
			return errors.New("has an IHDR chunk of a wrong length or place")
		}
		p.head = append(p.head, chunk)
		return p.header(c, at+8)
	case kind == "PLTE", kind == "tRNS":
		return p.colors(kind, chunk)
	case kind == "IDAT":
		if chunk.end > c.Size() {
			return io.ErrUnexpectedEOF
		}
		if !p.begun() {
			p.data = span{at, at}
		}
		if p.data.end == at {
			p.data.end = chunk.end
		}
	case kind == "IEND" && !p.begun():
		return errors.New("has no pixel data")
	case kind == "acTL":
		p.animated = true
	case kind == "eXIf":
		if p.exif == nil {
			p.exif = pngExif(c, at, length)
		}
	case !p.begun() && !ancillary[kind] && !crcValid(c, at, length):
		// This may be a chunk that determines the pixels, with a damaged type.
		return fmt.Errorf("has a chunk %q with a wrong CRC", kind)
	}
	return nil
}

// colors records a chunk of a palette or of transparency if the color type allows it.
func (p *pngChunks) colors(kind string, chunk span) error {
	if p.begun() {
		return nil
	}
	if p.seen[kind] {
		return fmt.Errorf("has two chunks %s", kind)
	}
	p.seen[kind] = true
	if kind == "PLTE" && p.color&pngPalette != 0 || kind == "tRNS" && p.color&pngAlpha == 0 {
		p.head = append(p.head, chunk)
	}
	return nil
}

// header reads the data of the IHDR chunk.
func (p *pngChunks) header(c Content, at int64) error {
	var b [13]byte
	if err := readAt(c, b[:], at); err != nil {
		return err
	}
	w, h := binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint32(b[4:])
	if w > 1<<31-1 || h > 1<<31-1 {
		return fmt.Errorf("has %d x %d pixels by its header", w, h)
	}
	p.size = image.Pt(int(w), int(h))
	p.depth, p.color, p.interlaced = int(b[8]), b[9], b[12] == 1
	return nil
}

// ancillary are the types of chunks that do not affect the pixels.
var ancillary = map[string]bool{
	"iCCP": true, "sRGB": true, "gAMA": true, "cHRM": true, "sBIT": true, "cICP": true,
	"mDCV": true, "cLLI": true, "tEXt": true, "zTXt": true, "iTXt": true, "bKGD": true,
	"hIST": true, "pHYs": true, "sPLT": true, "tIME": true, "fcTL": true, "fdAT": true,
	"oFFs": true, "pCAL": true, "sCAL": true, "vpAg": true, "caNv": true, "orNT": true,
}

// pngExif returns the data of an eXIf chunk, or nil if the chunk is damaged.
func pngExif(c Content, at, length int64) []byte {
	b := make([]byte, min(length, maxExif))
	if length > maxExif || readAt(c, b, at+8) != nil || !crcValid(c, at, length) {
		return nil
	}
	return b
}

// crcValid reports whether the chunk at offset at matches its CRC.
func crcValid(c Content, at, length int64) bool {
	crc := crc32.NewIEEE()
	var b [4]byte
	if _, err := io.Copy(crc, io.NewSectionReader(c, at+4, 4+length)); err != nil ||
		readAt(c, b[:], at+8+length) != nil {
		return false
	}
	return crc.Sum32() == binary.BigEndian.Uint32(b[:])
}

// decodePNG passes to the decoder only the chunks that determine the pixels, whose CRCs the decoder
// checks. Other chunks may be damaged, misplaced or truncated; other software reads such files,
// too.
func decodePNG(c Content) (image.Image, error) {
	p, err := pngScan(c)
	if err != nil {
		return nil, err
	}
	m, err := png.Decode(p.file(c, p.pixels(c)))
	if errors.As(err, new(png.FormatError)) {
		if cut, cutErr := p.withoutSurplus(c); cutErr == nil {
			m, cutErr := png.Decode(p.file(c, cut))
			if cutErr == nil && cut.rest() == nil {
				return m, nil
			}
		}
	}
	return m, err
}

// pixels returns the chunks of pixel data as stored.
func (p *pngChunks) pixels(c Content) io.Reader {
	return io.NewSectionReader(c, p.data.start, p.data.end-p.data.start)
}

// file returns a PNG file made of the header, the palette and transparency, and the given chunks of
// pixel data.
func (p *pngChunks) file(c Content, data io.Reader) io.Reader {
	parts := []io.Reader{strings.NewReader(pngMagic)}
	for _, s := range p.head {
		parts = append(parts, io.NewSectionReader(c, s.start, s.end-s.start))
	}
	const end = "\x00\x00\x00\x00IEND\xaeB`\x82"
	return bufio.NewReader(io.MultiReader(append(parts, data, strings.NewReader(end))...))
}
