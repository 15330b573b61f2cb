package raster

import (
	"image"
	"image/draw"
)

// onCanvas lays a frame on a transparent canvas.
func onCanvas(m image.Image, place, size image.Point) image.Image {
	canvas := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(canvas, m.Bounds().Sub(m.Bounds().Min).Add(place), m, m.Bounds().Min, draw.Src)
	return canvas
}

// videoColors makes RGB of the lossy pictures of WebP. Their luma is 16 to 235 (RFC 9649, section
// 2.5, and ITU-R BT.601), while package image takes it to be 0 to 255, as in JPEG, so that black
// would come out gray and white, too.
func videoColors(m image.Image) image.Image {
	switch m := m.(type) {
	case *image.YCbCr:
		return videoRGB(m, nil, 0)
	case *image.NYCbCrA:
		return videoRGB(&m.YCbCr, m.A, m.AStride)
	}
	return m
}

// videoRGB converts a picture with chroma of half the width and height, which it interpolates as
// libwebp does: a pixel is 9/16 of the nearest chroma, 3/16 of the two beside it, and 1/16 of the
// fourth.
func videoRGB(m *image.YCbCr, alpha []uint8, alphaStride int) *image.NRGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	cw, ch := (w+1)/2, (h+1)/2
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		near, far := nearest(y, ch)
		near, far = near*m.CStride, far*m.CStride
		for x := range w {
			left, right := nearest(x, cw)
			at := [4]int{near + left, near + right, far + left, far + right}
			p := dst.Pix[dst.PixOffset(x, y):][:4]
			p[0], p[1], p[2] = videoPixel(int(m.Y[y*m.YStride+x]), blend(m.Cb, at), blend(m.Cr, at))
			p[3] = 255
			if alpha != nil {
				p[3] = alpha[y*alphaStride+x]
			}
		}
	}
	return dst
}

// nearest are the sample of n that lies nearest to pixel i of 2n, and the next nearest.
func nearest(i, n int) (near, far int) {
	near = i / 2
	return near, min(max(near-1+2*(i%2), 0), n-1)
}

// blend is the weighted mean of four samples, rounded in libwebp's two steps.
func blend(c []uint8, at [4]int) int {
	near, beside, below, across := int(c[at[0]]), int(c[at[1]]), int(c[at[2]]), int(c[at[3]])
	return ((near+3*beside+3*below+across+8)>>3 + near) >> 1
}

// videoPixel is the conversion of BT.601 in libwebp's fixed point, of 14 bits.
func videoPixel(y, u, v int) (r, g, b uint8) {
	y = y * 19077 >> 8
	r = clip(y + v*26149>>8 - 14234)
	g = clip(y - u*6419>>8 - v*13320>>8 + 8708)
	b = clip(y + u*33050>>8 - 17685)
	return r, g, b
}

func clip(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
