//go:build !unix

package main

import "os"

// savers are signals that save a run as SIGTERM does: only Unix has some.
var savers []os.Signal
