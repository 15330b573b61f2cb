// Command gen writes the packages of assembly beside it, and package kernel's tables of their
// functions. Run it in its directory.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// family is a file of a package, by what is in it.
type family struct {
	name string
	emit func(m machine)
}

// families are the files of each package of an instruction set.
var families = []family{
	{"noise", machine.noiseKernels},
	{"silu", machine.activations},
	{"rows", machine.rowKernels},
	{"columns", machine.columnKernels},
	{"softmax", machine.softmaxes},
	{"winograd", machine.winograd},
	{"elementwise", func(m machine) { m.optimizers(); m.linearAlgebra() }},
	{"convert", machine.conversions},
	{"product", func(m machine) {
		m.products("each rounded once", m.accumulate)
		m.mulRows(m.accumulate)
		m.packing()
		m.peak("multiply-adds", m.accumulate)
	}},
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

// extensions are instructions for products alone, beside a path that has everything else: their
// packages, of one family each.
var extensions = []struct {
	pkg, arch string
	target    *amd64
	family    family
}{
	{"amx", "amd64", newAMD64("amx", blockLen), family{"product", machine.tileProducts}},
	{
		"avx512bf16", "amd64", newAMD64("avx512bf16", blockLen),
		family{"product", machine.pairProducts},
	},
	{
		"avx512half", "amd64", newAMD64("avx512half", blockLen),
		family{"packing", machine.halfPacking},
	},
}

func main() {
	fail := func(pkg string, err error) {
		if err != nil {
			fmt.Fprintf(os.Stderr, "gen: %s: %v\n", pkg, err)
			os.Exit(1)
		}
	}
	for _, t := range targets {
		stubs, err := write(t.pkg, t.arch, t.target, families)
		fail(t.pkg, err)
		fail(t.pkg, writePath(kernelDir, t.pkg, t.arch, stubs, machine{t.target}))
	}
	for _, e := range extensions {
		_, err := write(e.pkg, e.arch, e.target, []family{e.family})
		fail(e.pkg, err)
	}
}

// kernelDir is package kernel.
var kernelDir = filepath.Join("..", "..", "kernel")

// write writes a package and returns what it declares.
func write(pkg, arch string, t target, families []family) ([]stub, error) {
	for _, f := range families {
		t.file(f.name)
		f.emit(machine{t})
	}
	dir := filepath.Join("..", pkg)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	stubs, err := t.close(dir)
	if err != nil {
		return nil, err
	}
	return stubs, writeStubs(dir, pkg, arch, stubs)
}
