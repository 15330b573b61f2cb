package blas

import (
	"runtime/debug"

	"gonum.org/v1/gonum/blas/gonum"
)

// gonum's products start goroutines of their own when they are large, which the callers'
// parallelism makes useless but not wrong: each element's sum keeps its order.
var gonumBackend = Backend{name: "gonum", routines: gonum.Implementation{}, info: gonumInfo}

func gonumInfo() LibraryInfo {
	version := "gonum"
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range bi.Deps {
			if dep.Path == "gonum.org/v1/gonum" {
				version += " " + dep.Version
			}
		}
	}
	return LibraryInfo{Backend: "gonum", Library: version + " (pure Go)", Threads: 1}
}
