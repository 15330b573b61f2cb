// Command gen writes the packages of assembly beside it, and package kernel's tables of their
// functions. Run it in its directory.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// families are the files of each package, by what is in them.
var families = []struct {
	name string
	emit func(m machine)
}{
	{"noise", machine.noiseKernels},
	{"silu", machine.activations},
	{"rows", machine.rowKernels},
	{"columns", machine.columnKernels},
	{"softmax", machine.softmaxes},
	{"elementwise", func(m machine) { m.optimizers(); m.linearAlgebra() }},
	{"convert", machine.conversions},
	{"product", func(m machine) { m.products(); m.packing(); m.peak() }},
	{"rounded", func(m machine) { m.groups(); m.roundings() }},
}

// target is a package of assembly.
type target interface {
	isa
	// file starts the file of a family; close writes all files into a directory, and returns what
	// they declare.
	file(family string)
	close(dir string) ([]stub, error)
}

// targets are the instruction sets: their packages, and what is built for them.
var targets = []struct {
	pkg, arch string
	target    target
}{
	{"avx2", "amd64", newAMD64("avx2", 8)},
	{"avx512", "amd64", newAMD64("avx512", blockLen)},
	{"neon", "arm64", newNEON()},
}

func main() {
	for _, t := range targets {
		if err := write(t.pkg, t.arch, t.target); err != nil {
			fmt.Fprintf(os.Stderr, "gen: %s: %v\n", t.pkg, err)
			os.Exit(1)
		}
	}
}

func write(pkg, arch string, t target) error {
	for _, f := range families {
		t.file(f.name)
		f.emit(machine{t})
	}
	dir := filepath.Join("..", pkg)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	stubs, err := t.close(dir)
	if err != nil {
		return err
	}
	if err := writeStubs(dir, pkg, arch, stubs); err != nil {
		return err
	}
	return writePath(filepath.Join("..", "..", "kernel"), pkg, arch, stubs, machine{t})
}
