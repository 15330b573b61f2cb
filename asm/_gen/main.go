// Command gen writes the assembly of ../avx2, ../avx512 and ../neon: run it in its directory.
package main

import (
	"fmt"
	"os"
)

// families are the files of each package, by what is in them.
var families = []struct {
	name string
	emit func(m machine)
}{
	{"noise", machine.noiseKernels},
	{"silu", machine.activations},
	{"rows", machine.rowKernels},
	{"elementwise", func(m machine) { m.optimizers(); m.linearAlgebra() }},
	{"convert", machine.conversions},
	{"product", func(m machine) { m.products(); m.packing(); m.peak() }},
}

// target is a package of assembly.
type target interface {
	isa
	// file starts the file of a family; close writes all files into a directory.
	file(family string)
	close(dir string) error
}

func main() {
	for _, t := range []struct {
		dir string
		target
	}{
		{"../avx2", newAMD64("avx2", 8)},
		{"../avx512", newAMD64("avx512", blockLen)},
		{"../neon", newNEON()},
	} {
		for _, f := range families {
			t.file(f.name)
			f.emit(machine{t})
		}
		if err := t.close(t.dir); err != nil {
			fmt.Fprintf(os.Stderr, "gen: %s: %v\n", t.dir, err)
			os.Exit(1)
		}
	}
}
