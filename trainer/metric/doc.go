// Package metric is what is measured during a run and how it is shown: the records of
// metrics.jsonl (Epoch, Log), the distance between samples and training images (PCA), pictures and
// arrays of images (WriteGrid, WritePairs, WriteNPY), and progress on a terminal (Status).
package metric

const (
	panicLength  = "metric: length is not a multiple of the images' size"
	panicColumns = "metric: a grid needs at least one column"
	panicPairs   = "metric: originals and reconstructions differ in number"
)
