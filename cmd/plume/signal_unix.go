//go:build unix

package main

import (
	"os"
	"syscall"
)

// savers are signals that save a run as SIGTERM does. mpirun passes SIGUSR1 on, while it follows
// SIGTERM by SIGKILL within a second.
var savers = []os.Signal{syscall.SIGUSR1}
