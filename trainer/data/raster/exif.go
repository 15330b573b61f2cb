package raster

import (
	"bytes"
	"encoding/binary"
)

// Exif data are a TIFF file without pixels (CIPA DC-008, section 4.6): the byte order, the offset
// of the first directory, and there a count and entries of twelve bytes: tag, type, count, value.

// tagOrientation is the tag of the orientation in which the picture is stored.
const tagOrientation = 274

// exifOrientation returns the orientation from Exif data, or 0 if they have none or are damaged:
// viewers show such a picture as it is stored. ReadHeader checks its range.
func exifOrientation(b []byte) int {
	b = bytes.TrimPrefix(b, []byte("Exif\x00\x00"))
	order := byteOrder(b)
	if order == nil || len(b) < 8 {
		return 0
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == tagOrientation {
			return tiffValue(order, entries)
		}
		entries = entries[12:]
	}
	return 0
}

func byteOrder(b []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(b, []byte("II*\x00")):
		return binary.LittleEndian
	case bytes.HasPrefix(b, []byte("MM\x00*")):
		return binary.BigEndian
	}
	return nil
}
