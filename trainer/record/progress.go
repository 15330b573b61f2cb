package record

import "time"

// Progress is the state of a run after a training step. NaN marks a number that is not known yet,
// a negative ETA an unknown one.
type Progress struct {
	Epoch, Epochs int // the epoch counts from 1
	Step, Steps   int
	RowsPerS      Number        // rows per second
	ReconMSE      Number        // mean squared pixel error
	PriorLoss     Number        // nats per latent dimension
	Clipped       Number        // share of rows, in [0, 1]
	ETA           time.Duration // until the end of the run
}
