// Package metric is what is measured during and after a run and how it is shown: the distance between samples and
// training images (PCA), distances between sets of
// features of images (Features; Frechet, KID, RBFMMD, SlicedWasserstein, PrecisionRecall, Nearest) with their
// intervals (Estimate) and what they are between real images (Floor), pictures and arrays of images (WriteGrid,
// WritePairs, WriteNPY).
//
// Sums are in float64 and in one order: results have the same bits with any number of workers. Functions that take a
// pool run on the caller's goroutine alone if it is nil, and must not be called from one of its tasks.
package metric

const (
	panicLength   = "metric: length is not a multiple of the images' size"
	panicColumns  = "metric: a grid needs at least one column"
	panicPairs    = "metric: originals and reconstructions differ in number"
	panicFeatures = "metric: features are not N rows of K numbers"
)
