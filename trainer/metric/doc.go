// Package metric measures how far sets of images are apart, by their features (Features): pixels
// (Pixels), coordinates in principal components (package pca), the penultimate layer of a
// classifier (package classify), or numbers from another program (ReadFeatures). There are the
// Fréchet distance (Frechet), KID, an MMD with a Gaussian kernel (RBFMMD), the sliced Wasserstein
// distance (SlicedWasserstein), precision and recall (PrecisionRecall), and nearest neighbours
// (Nearest). Columns of tables (Variables) are compared one by one (MarginalDistance) and in pairs
// (AssociationDifference). Distances come with intervals (Estimate). Floor measures what they are
// between sets of real images, the best that a model can reach.
//
// Sums are in float64 and in one order: results have the same bits with any number of workers.
// Functions that take a pool run on the caller's goroutine alone if it is nil, and must not be
// called from one of its tasks. Matrix products are computed by the present default of package
// blas, whose choice shows in the last bits.
package metric

const panicFeatures = "metric: features are not N rows of K numbers"
