package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/suggest"
)

// envBLAS is the environment variable with the same meaning as --blas.
const envBLAS = "PLUME_BLAS"

// addBLAS defines --blas for all commands.
func addBLAS(root *cobra.Command) *pflag.Flag {
	names := blas.Available()
	root.PersistentFlags().String("blas", "", fmt.Sprintf(
		"`name` of the library of the matrix products: %s (by default the first that plume info "+
			"lists); also %s",
		strings.Join(slices.Sorted(slices.Values(names)), ", "), envBLAS))
	flag := root.PersistentFlags().Lookup("blas")
	flag.Annotations = map[string][]string{groupAnnotation: {"Every command"}}
	complete(root, "blas", names)
	return flag
}

// chooseBLAS lets the flag, or else the environment, choose the backend of the matrix products,
// and prepares the process for it.
func chooseBLAS(flag *pflag.Flag) error {
	name, source := os.Getenv(envBLAS), envBLAS
	if flag.Changed {
		name, source = flag.Value.String(), "--blas"
	}
	if flag.Changed || name != "" {
		if err := blas.Use(name); err != nil {
			hint := ""
			if !slices.Contains(blas.Available(), name) {
				hint = suggest.DidYouMean(name, blas.Available())
			}
			return usage(fmt.Errorf("%s: %w%s", source, err, hint))
		}
	}
	if blas.Info().Backend == "openblas" {
		pool.SpareProcessors()
	}
	return nil
}
