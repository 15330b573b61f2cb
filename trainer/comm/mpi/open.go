//go:build mpi

package mpi

import (
	"errors"
	"fmt"
	"os"

	"github.com/plume-ml/plume/trainer/comm"
)

// Open starts MPI and returns this rank, a *World. It is called once, before anything is written.
// Of signals, the program's handlers stay as they are. Processes of a launcher that belongs to
// another MPI than the one of this build, and would all be rank 0 of 1, get an error.
func Open(o Options) (comm.Comm, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("the name of this machine: %w", err)
	}
	if o.Direct < 0 || o.Chunk < 0 || o.Chunk > chunk {
		return nil, fmt.Errorf("MPI with %+v: expected options from 0 on, and chunks of up to %d",
			o, chunk)
	}
	l, rank, size, err := start(o.filled().Chunk)
	if err != nil {
		return nil, fmt.Errorf("MPI on %s: %w", host, err)
	}
	if err := comm.CheckAlone(size, os.LookupEnv); err != nil {
		err = fmt.Errorf("%w (this build has %s: mpirun, or the PMI of srun, must be of the same)",
			err, Library())
		return nil, errors.Join(err, l.finalize())
	}
	w, err := newWorld(l, rank, size, host, o)
	if err != nil {
		return nil, err
	}
	return w, nil
}
