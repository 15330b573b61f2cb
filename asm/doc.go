// Package asm is the home of plume's machine code: the loops of package kernel for AVX2 with FMA
// (folder avx2), AVX-512 with its F, DQ, BW and VL parts (avx512) and NEON (neon). The packages
// have the same functions; package kernel chooses between them at run time, and nothing else
// imports them.
//
// Other packages are no paths: they have products of numbers in bf16 alone, beside the path of
// AVX-512, which runs everything else. The functions of amx compute on tiles, those of avx512bf16
// by VDPBF16PS, and avx512half packs factors for both, by the processor's own rounding, which all
// that have one of them have.
//
// The files are generated: _gen, a module of its own, states every kernel once, in blocks of
// sixteen float32, and prints it for each machine (through avo for amd64; for arm64 itself, vector
// instructions as encoded words, since Go's assembler does not know them). Edit the generator, then
//
//	make gen
//
// which also writes package kernel's tables of the functions (path_avx2_amd64.go and so on).
//
// # To add a kernel
//
//   - in _gen, a method of machine that emits it, called in the list of families in main.go;
//   - in package kernel: a field of path, named as the function but for its first letters; its
//     definition in generic.go; and an exported function that checks its arguments, cuts them into
//     calls, and whose comment is the loop;
//   - in package kernel's tests: a line in operands_test.go, which compares it on all paths, and
//     one in contract_test.go for the lengths that do not fit.
//
// A test names a kernel that no other test compares, or that a path lacks.
//
// # To add an instruction set
//
//   - in _gen, a type that implements isa, what the machine can do (for another width of amd64
//     vectors, amd64 with other lanes), and a target in main.go;
//   - in package kernel, an element of native in dispatch_ARCH.go: its table, how its products
//     compare with libraries, and the features of a CPU that it needs;
//   - in features_test.go, the instructions that no path had before, each with its feature;
//   - its name in the first paragraph above, and in kernel/README.md among the values of
//     PLUME_KERNEL;
//   - if its tiles of matrix products, of either order, have more rows than those of all other
//     paths, that number in finestTile of trainer/pool/tiles.go;
//   - if such a number does not divide blockM of blas/order.go, a multiple of it there;
//   - if its registers are of a new width, that width in package kernel's peak_test.go.
//
// TestInstructionSets, TestTileRows and TestGuards, and TestPeak of package kernel, name what is
// missing. The rest follows: the default backend of package blas, the columns of bench/peers, and
// the paths that make test-paths runs.
//
// # Rules
//
// Every function here keeps these, checked by the tests beside this file where they can be:
//
//   - It computes, bit for bit, what the generic path does: sums in its order, multiply-adds where
//     it has fma32, no reciprocal or root estimates, whose bits depend on the maker of the CPU.
//   - Arguments are on the stack (ABI0), unchecked, of any alignment; nothing outside them is read
//     or written, whatever their length.
//   - One call handles at most 64 Ki floats, since assembly cannot be preempted.
//   - amd64: R14 (g) and BP are not ours; VZEROUPPER stands before every RET; no register or
//     instruction that the dispatch of package kernel does not ask cpuid for; tiles are configured
//     and released within a call, and tiles_test.go executes what is done with them.
//   - arm64: R18 and R26 to R30 are not ours.
package asm
