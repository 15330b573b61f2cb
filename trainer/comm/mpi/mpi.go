// Package mpi makes the processes that mpirun or srun has started the ranks of a training. Built
// with the tag mpi it is comm.Comm on an MPI library (`make build-mpi`), and otherwise it refuses
// to run as one of several processes.
//
// All calls are made of messages between two ranks (MPI_Isend, MPI_Iprobe, MPI_Irecv, MPI_Testsome)
// and not of MPI's collectives, whose sums depend on the library and the number of ranks, and which
// cannot tell for whom they wait. What is added, and in which order, is comm.Add alone. A message's
// tag says which call it belongs to, so that ranks whose calls differ get an error, for no bytes
// more.
package mpi

// Options are what Open can be told; the zero value is the default.
type Options struct {
	// Direct is the number of ranks up to which each sends to each other in a SumTree: two messages
	// one after the other. Beyond it powers of two halve and double (2 log2 of the number, and
	// connections to as many others only). The bits are the same. 0 stands for 64.
	Direct int
	// Chunk is the largest size of a message in bytes. 0 stands for 1 GiB; MPI counts up to 2 GiB.
	Chunk int
}

const (
	direct = 64
	chunk  = 1 << 30
)

// filled returns the options with their defaults.
func (o Options) filled() Options {
	if o.Direct == 0 {
		o.Direct = direct
	}
	if o.Chunk == 0 {
		o.Chunk = chunk
	}
	return o
}
