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

// jpegSegments is what the segments before the pixels of a JPEG file say. A segment is a marker,
// 0xFF and a code, followed in most cases by a 16-bit length and the data.
type jpegSegments struct {
	exif        []byte
	progressive bool
}

const (
	jpegSOF0, jpegSOF2 = 0xC0, 0xC2
	jpegSOS, jpegEOI   = 0xDA, 0xD9
	jpegAPP1           = 0xE1
)

// jpegScan looks for Exif data and for the coding process. It stops without an error at malformed
// data; the decoder reports those.
func jpegScan(c Content) (s jpegSegments) {
	r := bufio.NewReaderSize(all(c), 4096)
	r.Discard(2)
	for {
		code, err := jpegMarker(r)
		if err != nil || code == jpegSOS || code == jpegEOI {
			return s
		}
		if code == 0x01 || code >= 0xD0 && code <= 0xD7 {
			continue // a marker without data
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

// jpegMarker reads up to the end of the next marker and returns its code.
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
		h.Bytes += 16 // four-byte coefficients of up to four components
	}
	return h, nil
}

// decodeJPEG decodes a file even if its end marker is missing, but only if it is not progressive:
// given an end marker, the decoder accepts baseline data only if all pixels are there, but
// progressive data after any scan.
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
