package picture

import (
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
)

// pngBytes is what the encoder of a PNG works in, most of it the tables of the compression.
const pngBytes = 1 << 20

// GridBytes is the memory in which WriteGrid draws n images, cols to a row.
func GridBytes(shape data.Shape, n, cols int) int64 {
	_, height := tileSize(shape)
	rows := (n + cols - 1) / cols
	return pictureBytes(shape, min(n, cols), rows*(height+separator)+separator)
}

// PairsBytes is the memory in which WritePairs draws n images and as many below them.
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
