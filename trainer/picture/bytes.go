package picture

import (
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
)

// pngBytes is the working memory of the PNG encoder, mostly tables of the compression.
const pngBytes = 1 << 20

// GridBytes is the memory, in bytes, that WriteGrid needs for n images, cols to a row.
func GridBytes(shape data.Shape, n, cols int) int64 {
	_, height := tileSize(shape)
	rows := (n + cols - 1) / cols
	return pictureBytes(shape, min(n, cols), rows*(height+separator)+separator)
}

// PairsBytes is the memory, in bytes, that WritePairs needs for n pairs of images, cols to a row.
func PairsBytes(shape data.Shape, n, cols int) int64 {
	_, height := tileSize(shape)
	rows := (n + cols - 1) / cols
	return pictureBytes(shape, min(n, cols), rows*(2*height+separator+pairGap)-pairGap+2*separator)
}

func pictureBytes(shape data.Shape, cols, height int) int64 {
	width, _ := tileSize(shape)
	channels := 1
	if shape.C == 3 {
		channels = 4 // with opacity
	}
	return memory.Array[uint8](separator+cols*(width+separator), height, channels) + pngBytes
}
