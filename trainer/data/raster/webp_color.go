package raster

import (
	"image"
	"image/draw"
)

// onCanvas draws a frame on a transparent canvas.
func onCanvas(m image.Image, place, size image.Point) image.Image {
	canvas := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(canvas, m.Bounds().Sub(m.Bounds().Min).Add(place), m, m.Bounds().Min, draw.Src)
	return canvas
}

// videoColors converts lossy WebP pictures to RGB. Their luma has the range 16 to 235 (RFC 9649,
// section 2.5, and ITU-R BT.601). Package image assumes 0 to 255, as in JPEG, which would make
// black and white gray.
func videoColors(m image.Image) image.Image {
	switch m := m.(type) {
	case *image.YCbCr:
		return videoRGB(m, nil, 0)
	case *image.NYCbCrA:
		return videoRGB(&m.YCbCr, m.A, m.AStride)
	}
	return m
}

// videoRGB converts a picture with 4:2:0 chroma. It interpolates the chroma as libwebp does: 9/16
// of the nearest sample, 3/16 of each of the two beside it, and 1/16 of the fourth.
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

// nearest returns, of n samples, the one nearest to pixel i of 2n and the next nearest.
func nearest(i, n int) (near, far int) {
	near = i / 2
	return near, min(max(near-1+2*(i%2), 0), n-1)
}

// blend returns the weighted mean of four samples, rounded in two steps as in libwebp.
func blend(c []uint8, at [4]int) int {
	near, beside, below, across := int(c[at[0]]), int(c[at[1]]), int(c[at[2]]), int(c[at[3]])
	return ((near+3*beside+3*below+across+8)>>3 + near) >> 1
}

// videoPixel converts by BT.601 in the 14-bit fixed-point arithmetic of libwebp.
func videoPixel(y, u, v int) (r, g, b uint8) {
	y = y * 19077 >> 8
	r = clip(y + v*26149>>8 - 14234)
	g = clip(y - u*6419>>8 - v*13320>>8 + 8708)
	b = clip(y + u*33050>>8 - 17685)
	return r, g, b
}

func clip(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
