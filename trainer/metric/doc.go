// Package metric measures how far sets of images are apart, in features of them (Features): pixels
// (Pixels), coordinates in principal components (package pca), the penultimate layer of a
// classifier (package classify), or numbers that another program found (ReadFeatures). There are
// the Fréchet distance, KID, an MMD with a Gaussian kernel, the sliced Wasserstein distance,
// precision and recall, and nearest neighbours; an interval for each (Estimate); and what they are
// between real images (Floor).
//
// Sums are in float64 and in one order: results have the same bits with any number of workers.
// Functions that take a pool run on the caller's goroutine alone if it is nil, and must not be
// called from one of its tasks.
package metric

const panicFeatures = "metric: features are not N rows of K numbers"
