// Package metric is what is measured of images, during and after a run: the distance between samples and
// training images (PCA), distances between sets of
// features of images (Features; Frechet, KID, RBFMMD, SlicedWasserstein, PrecisionRecall, Nearest) with their
// intervals (Estimate) and what they are between real images (Floor).
//
// Sums are in float64 and in one order: results have the same bits with any number of workers. Functions that take a
// pool run on the caller's goroutine alone if it is nil, and must not be called from one of its tasks.
package metric

const panicFeatures = "metric: features are not N rows of K numbers"
