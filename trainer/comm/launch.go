package comm

import (
	"fmt"
	"strconv"
)

// launchers are the variables by which launchers say how many processes they have started: those of
// Open MPI, of MPICH and Intel MPI, and of Slurm's srun.
var launchers = []string{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}

// CheckAlone returns an error if a launcher has started several processes, of which each is a rank
// of size ranks: with a size of 1 each would believe that it is alone, and do all of the work. The
// error names the launcher's variable and the remedies. lookup is usually os.LookupEnv.
func CheckAlone(size int, lookup func(name string) (string, bool)) error {
	for _, name := range launchers {
		text, _ := lookup(name)
		if n, err := strconv.Atoi(text); err == nil && n > 1 && size == 1 {
			return fmt.Errorf("%s=%d: a launcher has started %d processes, and each would make "+
				"the whole training by itself, since this build cannot share one; start a single "+
				"process, or unset %s in each for trainings that have nothing in common",
				name, n, n, name)
		}
	}
	return nil
}
