package raster

import "strings"

// brands are the picture formats based on the ISO base media file format, by the brand after
// "ftyp".
var brands = map[string]string{
	"heic": "a HEIC picture",
	"heix": "a HEIC picture",
	"heim": "a HEIC picture",
	"heis": "a HEIC picture",
	"hevc": "a HEIC picture",
	"mif1": "a HEIF picture",
	"msf1": "a HEIF picture",
	"avif": "an AVIF picture",
	"avis": "an AVIF picture",
	"crx ": "a raw picture of a Canon camera",
}

// magics are formats that are often found under the names of pictures, by their first bytes.
var magics = []struct{ magic, what string }{
	{"\xff\x0a", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"},
	{"\xff\x4f\xff\x51", "a JPEG 2000 picture"},
	{"8BPS", "a Photoshop document"},
	{"\x00\x00\x01\x00", "an icon file"},
	{"II+\x00", "a BigTIFF picture"},
	{"MM\x00+", "a BigTIFF picture"},
	{"%PDF", "a PDF document"},
	{"PK\x03\x04", "a zip archive"},
	{"\x1f\x8b", "a gzip file"},
	{"\x93NUMPY", "a .npy array"},
	{"version https://git-lfs", "a Git LFS pointer, not the picture itself"},
	{"<svg", "an SVG drawing"},
	{"<?xml", "an XML document"},
	{"<!doctype html", "an HTML page"},
	{"<html", "an HTML page"},
	{"<", "a page of markup"},
	{"{", "JSON"},
}

// Other describes, from its first bytes, a file whose format Sniff does not know.
func Other(head []byte) string {
	if len(head) == 0 {
		return "empty"
	}
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		if what, known := brands[string(head[8:12])]; known {
			return what
		}
		return "a video"
	}
	start := strings.ToLower(strings.TrimLeft(string(head), " \t\r\n\ufeff"))
	for _, m := range magics {
		if strings.HasPrefix(string(head), m.magic) ||
			m.magic[0] < 0x80 && m.magic[0] >= ' ' && strings.HasPrefix(start, m.magic) {
			return m.what
		}
	}
	for _, c := range head {
		if c == 0 {
			if strings.Trim(string(head), "\x00") == "" {
				return "filled with zeros"
			}
			return "of an unknown format"
		}
	}
	for _, c := range start {
		if c == '\ufffd' || c < ' ' && !strings.ContainsRune("\t\r\n", c) {
			return "of an unknown format"
		}
	}
	return "text"
}
