package main

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
)

// tolerance bounds the deviation between two sides, relative to the root mean square of the
// compared array: the deviation's root mean square, and its largest element. Weights and biases
// are compared layer by layer.
type tolerance struct{ rms, largest float64 }

// tolerances are those of a work in a precision. The moments show the gradients of the steps.
// Parameters, averages and particles are compared by their movement.
type tolerances struct {
	moments, moved, cloud, samples tolerance

	losses  float64 // relative, of the last step
	clipped float64 // share of the rows of the last step; one row may always deviate
}

// inFloat32 is for sides that compute in float32 (6e-8), with different orders of summation and
// exponentials. Adam turns the rounding of a gradient near zero into a step of either sign, which
// can change single elements by the whole movement but hardly changes the root mean square. A row
// whose drift is at the clip may count as clipped on one side only. The tolerances are at least
// four times the worst deviations seen with two versions of PyTorch and one of JAX (in brackets).
var inFloat32 = tolerances{
	moments: tolerance{2e-4, 2e-2}, // (5e-5, 5e-3)
	moved:   tolerance{5e-3, 3},    // (1.2e-3, 0.6)
	cloud:   tolerance{2e-5, 2e-3}, // (3.2e-6, 2.7e-4)
	samples: tolerance{4e-6, 5e-5}, // (6.7e-7, 7.8e-6)
	losses:  1e-5,
}

// convInFloat32 is for convolutions, whose gradients are sums over pixels too, and whose networks
// are deeper. The worst are in the middle of the U-Net, where single elements of the moments are
// large.
var convInFloat32 = tolerances{
	moments: tolerance{8e-4, 8e-2}, // (2e-4, 2.1e-2)
	moved:   tolerance{1.2e-2, 5},  // (3e-3, 1.1)
	cloud:   inFloat32.cloud,
	losses:  inFloat32.losses,
}

// inBF16 is for sides that round the factors of products to bf16. That errs by about 2^-9 in the
// root mean square over all mantissas (at most by 2^-8), so a product, whose terms err
// independently, by 2^-9 sqrt(2); by 2^-9 sqrt(3) if what it gives is bf16 too, as PyTorch's is.
// From the embedding of the level to the residual there are 9 products, and 9 on the way back:
// gradients err by about 2^-9 sqrt(3 * 18) = 1.4e-2, their squares by up to twice that. Adam's
// step has the other sign where the error of a gradient is opposite and larger, which is a share
// r/pi of gradients that err by r, and then is wrong by twice its size: the movement errs by
// sqrt(4 r/pi) = 0.13. A particle's move is half noise, which has no error. In the losses errors of
// either sign cancel. Of the rows, a share as large as the error is so close to the clip that they
// may count on one side only. The tolerances are about three times the worst deviations seen with
// plume, PyTorch and JAX (in brackets), and a missing term exceeds them (TestMissingTerms).
var inBF16 = tolerances{
	moments: tolerance{5e-2, 3},      // (1.6e-2, 0.92)
	moved:   tolerance{0.35, 6},      // (0.124, 2.5)
	cloud:   tolerance{1.2e-2, 0.5},  // (3.4e-3, 0.15)
	samples: tolerance{2.5e-2, 0.25}, // (6.8e-3, 6e-2)
	losses:  1e-3, clipped: 1e-2,     // (2.7e-4, 1e-3)
}

// convInBF16 is for convolutions. There are 18 products through the U-Net, and 18 back, so
// gradients err by about 2e-2, and Adam's movement by 0.16. There are few rows, and in their moves
// the drift is larger beside the noise.
var convInBF16 = tolerances{
	moments: tolerance{9e-2, 6},    // (2.9e-2, 2)
	moved:   tolerance{0.5, 8},     // (0.17, 2.7)
	cloud:   tolerance{4e-2, 1.2},  // (1.3e-2, 0.39)
	losses:  1.5e-2, clipped: 2e-2, // (5.1e-3, 0)
}

// tolerances returns those of a way.
func (w work) tolerances(in way) tolerances {
	conv := w.config.Decoder == config.Conv
	switch single := in.precision() == blas.Float32; {
	case conv && single:
		return convInFloat32
	case conv:
		return convInBF16
	case single:
		return inFloat32
	}
	return inBF16
}
