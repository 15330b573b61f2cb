//go:build !mpi

package mpi

import (
	"os"

	"github.com/plume-ml/plume/trainer/comm"
)

// Open returns the Comm of a single rank, or an error if a launcher has started several.
func Open(Options) (comm.Comm, error) {
	if err := comm.CheckAlone(1, os.LookupEnv); err != nil {
		return nil, err
	}
	return comm.Alone{}, nil
}

// Library is the version of the MPI library, and "" in a build without one.
func Library() string { return "" }
