// Package classify trains a small classifier on the labels of a data set (Train). The values of its
// penultimate layer are features in which images can be compared (Features). The Fréchet distance
// between two sets of these features is called FFD here: "FID" means the features of an Inception
// network trained on ImageNet (Heusel et al. 2017), and the two numbers cannot be compared.
//
// Matrix products are computed by the backend that was the default of package blas when the
// classifier was made.
package classify

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/model"
)

// Options say how a classifier is trained. Its weights depend on all of them, bit for bit.
type Options struct {
	Seed      uint64
	Network   Network
	Flip      bool    // train on mirror images, too
	Epochs    int     // passes over the training images
	MinSteps  int     // steps that are made even if that takes more passes
	MaxSteps  int     // steps after which training ends, even within a pass; 0: no limit
	Batch     int     // images per step
	LR        float64 // Adam's first learning rate, which falls to 0 along half a cosine
	Smoothing float64 // label smoothing: share of the target for all classes (Szegedy et al. 2016)
	Holdout   float64 // share of the labelled images that the accuracy is measured on
}

// Default returns the options of the classifier that plume eval uses for images of the given shape.
// Its training stops long before it overfits: in the features of an overfitted classifier, images
// that it was not trained on, such as samples, differ from those it was trained on, however real
// they look.
func Default(image data.Shape) Options {
	o := Options{
		Seed:      1,
		Network:   defaultNetwork(image),
		Epochs:    10,
		Batch:     100,
		LR:        1e-3,
		Smoothing: 0.1,
		Holdout:   0.1,
	}
	if o.Network.Convolutional() {
		// A few minutes on two cores, however many images there are.
		o.Flip, o.Epochs, o.MinSteps, o.MaxSteps, o.Batch = true, 3, 2000, 6000, 50
	}
	return o
}

// Classifier maps images to features and classes.
type Classifier struct {
	Options
	Classes  []int   // labels, ascending; output c is the logit of Classes[c]
	Accuracy float64 // on labelled images that it was not trained on
	Tested   int     // number of images that the accuracy was measured on

	trunk, net *model.Net // from the image to the features, and to the logits
	p          []float32  // parameters of net, of which those of trunk are the first
}

// FeatureCount is the number of features, the width of the penultimate layer.
func (c *Classifier) FeatureCount() int { return c.trunk.Out() }

// Parameters is the number of weights.
func (c *Classifier) Parameters() int { return len(c.p) }

// Hash returns the SHA-256 of the weights in hexadecimal. Two classifiers with the same hash give
// the same features.
func (c *Classifier) Hash() string { return hex.EncodeToString(c.sum()) }

func (c *Classifier) sum() []byte {
	h := sha256.New()
	var bytes []byte
	for _, v := range c.p {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
	}
	h.Write(bytes)
	return h.Sum(nil)
}
