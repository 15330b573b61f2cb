package raster

import (
	"bufio"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"strings"
)

// jpegSegments are what precedes the pixels of a JPEG file: markers 0xFF and a code, most with a
// length of 16 bits and that many bytes.
type jpegSegments struct {
	exif        []byte
	progressive bool
}

const (
	jpegSOF0, jpegSOF2 = 0xC0, 0xC2
	jpegSOS, jpegEOI   = 0xDA, 0xD9
	jpegAPP1           = 0xE1
)

// jpegScan looks for Exif data and for the kind of coding. It stops without an error where
// something is not as it should be, which is for the decoder to judge.
func jpegScan(c Content) (s jpegSegments) {
	r := bufio.NewReaderSize(all(c), 4096)
	r.Discard(2)
	for {
		code, err := jpegMarker(r)
		if err != nil || code == jpegSOS || code == jpegEOI {
			return s
		}
		if code == 0x01 || code >= 0xD0 && code <= 0xD7 {
			continue // alone
		}
		var n [2]byte
		if _, err := io.ReadFull(r, n[:]); err != nil {
			return s
		}
		length := int(n[0])<<8 + int(n[1]) - 2
		if length < 0 {
			return s
		}
		s.progressive = s.progressive || code == jpegSOF2
		if code != jpegAPP1 || s.exif != nil {
			if _, err := r.Discard(length); err != nil {
				return s
			}
			continue
		}
		data := make([]byte, length)
		if _, err := io.ReadFull(r, data); err != nil {
			return s
		}
		if strings.HasPrefix(string(data), "Exif\x00\x00") {
			s.exif = data
		}
	}
}

// jpegMarker reads to the next marker.
func jpegMarker(r *bufio.Reader) (code byte, err error) {
	for code != 0xFF {
		if code, err = r.ReadByte(); err != nil {
			return 0, err
		}
	}
	for code == 0xFF {
		if code, err = r.ReadByte(); err != nil {
			return 0, err
		}
	}
	return code, nil
}

func jpegHeader(c Content) (Header, error) {
	config, err := jpeg.DecodeConfig(all(c))
	if err != nil {
		return Header{}, err
	}
	s := jpegScan(c)
	h := Header{
		Width:       config.Width,
		Height:      config.Height,
		Gray:        config.ColorModel == color.GrayModel,
		Orientation: exifOrientation(s.exif),
		Bytes:       8,
	}
	if s.progressive {
		h.Bytes += 16 // coefficients of four bytes of up to four components
	}
	return h, nil
}

// decodeJPEG decodes a file whose end marker may be missing. With an end marker, the decoder
// accepts baseline data only if all pixels are there, but progressive data after any of their
// passes.
func decodeJPEG(c Content) (image.Image, error) {
	m, err := jpeg.Decode(all(c))
	if errors.Is(err, io.ErrUnexpectedEOF) && !jpegScan(c).progressive {
		ended := io.MultiReader(all(c), strings.NewReader("\xff\xd9"))
		if m, err := jpeg.Decode(ended); err == nil {
			return m, nil
		}
	}
	return m, err
}
