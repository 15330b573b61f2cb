// Package comm is what the ranks of one training say to each other. A rank is a process with a part
// of the datapoints and all of the networks; Alone is a training of one rank, and Local makes ranks
// that are goroutines of one process.
//
// What ranks add must not depend on how many there are. So the datapoints are cut into lanes, a
// number of the configuration (Block); every sum over datapoints is one chain for each lane, and
// the lanes are added along one fixed tree (Add). The lanes of a rank are a whole subtree (Check),
// and SumTree adds what the ranks have along the rest of the tree.
package comm

import "fmt"

// Comm connects a rank with the others. All ranks make the same calls in the same order; each call
// but Rank, Size, Abort and Close waits for the others. An error means that the ranks can do no
// more together: one has left, has aborted, or made another call.
type Comm interface {
	// Rank is the number of this rank, from 0 on.
	Rank() int
	// Size is the number of ranks.
	Size() int
	// SumTree replaces x on every rank by the sum of those of all ranks, along the fixed tree. They
	// are equally long.
	SumTree(x []float32) error
	// Gather fills x on every rank with the parts of all ranks. It has Size equal parts, of which
	// each rank has filled its own.
	Gather(x []float64) error
	// Broadcast returns on every rank what the root has passed. The result must not be modified.
	Broadcast(x []byte, root int) ([]byte, error)
	// Barrier returns when all ranks have called it.
	Barrier() error
	// Abort makes the calls of all ranks fail, those under way too. code is the exit code that the
	// processes should end with.
	Abort(code int)
	// Close says that this rank makes no more calls. Others that still wait for it get an error.
	Close() error
}

// Alone is the Comm of a single rank.
type Alone struct{}

// Rank implements Comm.
func (Alone) Rank() int { return 0 }

// Size implements Comm.
func (Alone) Size() int { return 1 }

// SumTree implements Comm.
func (Alone) SumTree([]float32) error { return nil }

// Gather implements Comm.
func (Alone) Gather([]float64) error { return nil }

// Broadcast implements Comm.
func (Alone) Broadcast(x []byte, _ int) ([]byte, error) { return x, nil }

// Barrier implements Comm.
func (Alone) Barrier() error { return nil }

// Abort implements Comm.
func (Alone) Abort(int) {}

// Close implements Comm.
func (Alone) Close() error { return nil }

// Aborted is the error of calls after a rank's Abort.
type Aborted struct{ Rank, Code int }

func (e *Aborted) Error() string {
	return fmt.Sprintf("rank %d has ended the training of all ranks (exit code %d)", e.Rank, e.Code)
}

// Left is the error of calls that wait for a rank which has called Close.
type Left struct{ Rank int }

func (e *Left) Error() string {
	return fmt.Sprintf("rank %d has left, while others wait for it", e.Rank)
}
