//go:build !mpi

package mpi

import (
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/comm"
)

// A build without MPI is alone, and refuses to be one of several processes.
func TestAlone(t *testing.T) {
	for _, name := range []string{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"} {
		t.Setenv(name, "")
	}
	if c, err := Open(Options{}); err != nil || c != (comm.Alone{}) || Library() != "" {
		t.Errorf("%v, %v, library %q", c, err, Library())
	}
	t.Setenv("PMI_SIZE", "2")
	if _, err := Open(Options{}); err == nil || !strings.Contains(err.Error(), "PMI_SIZE=2") {
		t.Errorf("one of two processes: %v", err)
	}
}
