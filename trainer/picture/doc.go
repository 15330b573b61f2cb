// Package picture draws images: grids (Grid, Sheet), originals above their reconstructions (Pairs),
// labelled pictures below each other (Stack), and tables column by column (Tables). A View draws
// signals as curves in the same places. WriteGrid, WritePairs and Write store pictures as PNG
// files, and a Folder one file for each image.
package picture

const (
	panicLength  = "picture: length is not a multiple of the images' size"
	panicColumns = "picture: a grid needs at least one column"
	panicPairs   = "picture: originals and reconstructions differ in number"
)
