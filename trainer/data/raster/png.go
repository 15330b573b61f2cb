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

// A PNG file (ISO/IEC 15948) is its magic and chunks: length of the data, type, data, and a CRC of
// type and data.
const pngMagic = "\x89PNG\r\n\x1a\n"

const pngFraming = 12 // bytes of a chunk beside its data

// span is a range of a file's bytes.
type span struct{ from, to int64 }

// pngChunks are where those chunks lie that matter for the pixels.
type pngChunks struct {
	size     image.Point
	depth    int // bits of a sample
	color    byte
	lace     bool
	head     []span // header, palette and transparency
	seen     map[string]bool
	data     span // consecutive chunks of pixel data
	exif     []byte
	animated bool
}

// The types of color, bit by bit: with a palette, colored, with an alpha channel.
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
	h := Header{Width: p.size.X, Height: p.size.Y, Gray: p.gray(), Several: p.animated,
		Orientation: exifOrientation(p.exif), Bytes: 8}
	if p.lace {
		h.Bytes *= 2
	}
	return h, nil
}

// maxExif bounds Exif data: a JPEG file has room for 64 KiB of them.
const maxExif = 1 << 20

// pngScan finds the chunks. What follows the pixels is looked at for Exif data only.
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
func (p *pngChunks) begun() bool { return p.data.to > 0 }

// chunk notes a chunk at that place, of so many bytes of data.
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
		if chunk.to > c.Size() {
			return io.ErrUnexpectedEOF
		}
		if !p.begun() {
			p.data = span{at, at}
		}
		if p.data.to == at {
			p.data.to = chunk.to
		}
	case kind == "IEND" && !p.begun():
		return errors.New("has no pixel data")
	case kind == "acTL":
		p.animated = true
	case kind == "eXIf":
		if p.exif == nil {
			p.exif = pngExif(c, at, length)
		}
	case !p.begun() && !harmless[kind] && !crcHolds(c, at, length):
		// What matters for the pixels may have a damaged name.
		return fmt.Errorf("has a chunk %q with a wrong CRC", kind)
	}
	return nil
}

// colors notes a palette or transparency, where the type of color has them.
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
	p.depth, p.color, p.lace = int(b[8]), b[9], b[12] == 1
	return nil
}

// harmless are chunks that do not matter for the pixels, whatever they hold.
var harmless = map[string]bool{
	"iCCP": true, "sRGB": true, "gAMA": true, "cHRM": true, "sBIT": true, "cICP": true,
	"mDCV": true, "cLLI": true, "tEXt": true, "zTXt": true, "iTXt": true, "bKGD": true,
	"hIST": true, "pHYs": true, "sPLT": true, "tIME": true, "fcTL": true, "fdAT": true,
	"oFFs": true, "pCAL": true, "sCAL": true, "vpAg": true, "caNv": true, "orNT": true,
}

// pngExif are the data of an eXIf chunk, nil if it is damaged: it does not matter for the pixels.
func pngExif(c Content, at, length int64) []byte {
	b := make([]byte, min(length, maxExif))
	if length > maxExif || readAt(c, b, at+8) != nil || !crcHolds(c, at, length) {
		return nil
	}
	return b
}

// crcHolds checks type, data and CRC of the chunk at that place.
func crcHolds(c Content, at, length int64) bool {
	crc := crc32.NewIEEE()
	var b [4]byte
	if _, err := io.Copy(crc, io.NewSectionReader(c, at+4, 4+length)); err != nil ||
		readAt(c, b[:], at+8+length) != nil {
		return false
	}
	return crc.Sum32() == binary.BigEndian.Uint32(b[:])
}

// decodePNG gives the decoder only the chunks that matter for the pixels. Others may be damaged,
// out of place, or cut off: other software reads such files. The decoder checks the CRC of those
// that matter.
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

// pixels are the chunks of pixel data as they are.
func (p *pngChunks) pixels(c Content) io.Reader {
	return io.NewSectionReader(c, p.data.from, p.data.to-p.data.from)
}

// file is a PNG file of the chunks that matter, and of these chunks of pixel data.
func (p *pngChunks) file(c Content, data io.Reader) io.Reader {
	parts := []io.Reader{strings.NewReader(pngMagic)}
	for _, s := range p.head {
		parts = append(parts, io.NewSectionReader(c, s.from, s.to-s.from))
	}
	const end = "\x00\x00\x00\x00IEND\xaeB`\x82"
	return bufio.NewReader(io.MultiReader(append(parts, data, strings.NewReader(end))...))
}
