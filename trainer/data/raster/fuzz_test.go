package raster

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// FuzzRead checks that this package's code does not panic, and that a decoded picture has the size
// given by its header.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/*.*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			if len(b) < 3000 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := bytes.NewReader(b)
		ours(c)
		Other(b[:min(len(b), HeadLen)])
		h, err := ReadHeader(c)
		if err != nil || h.Width*h.Height > 1<<16 {
			return
		}
		m, err := Decode(c, h)
		if err != nil {
			return
		}
		if s := m.Bounds().Size(); s.X != h.Width || s.Y != h.Height {
			t.Errorf("%v; %d x %d by its header", s, h.Width, h.Height)
		}
	})
}

// ours calls this package's code, as opposed to the decoders', without catching panics.
func ours(c *bytes.Reader) {
	jpegScan(c)
	if head := make([]byte, 4); readAt(c, head, 0) == nil && byteOrder(head) != nil {
		tiffScan(c)
	}
	gifFrames(c)
	if p, err := webpScan(c); err == nil {
		p.picture(c)
	}
	if p, err := pngScan(c); err == nil && p.size.X > 0 && p.size.Y > 0 &&
		p.size.X*p.size.Y < 1<<16 {
		exifOrientation(p.exif)
		if cut, err := p.withoutSurplus(c); err == nil {
			png.Decode(p.file(c, cut))
			cut.rest()
		}
	}
	b := make([]byte, c.Size())
	c.ReadAt(b, 0)
	exifOrientation(b)
}
