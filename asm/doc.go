// Package asm is the home of plume's machine code: the loops of package kernel for AVX2 with FMA
// (folder avx2), AVX-512 with its F, DQ, BW and VL parts (avx512) and NEON (neon). The three packages have the
// same functions; package kernel chooses between them at run time, and nothing else imports them.
//
// The files are generated: _gen, a module of its own, states every kernel once, in blocks of sixteen
// float32, and prints it for each machine (through avo for amd64; for arm64 itself, vector
// instructions as encoded words, since Go's assembler does not know them). Edit the generator, then
//
//	make gen
//
// A new kernel is a method in _gen, a field of the path table in package kernel, a function in
// its generic.go, which is the definition, and an exported function that cuts its arguments into calls.
//
// Rules for every function here, checked by the tests beside this file where they can be:
//
//   - It computes, bit for bit, what the generic path does: sums in its order, multiply-adds where it
//     has fma32, no reciprocal or root estimates, whose bits depend on the maker of the CPU.
//   - Arguments are on the stack (ABI0), unchecked, of any alignment; nothing outside them is read or
//     written, whatever their length.
//   - One call handles at most 64 Ki floats, since assembly cannot be preempted.
//   - amd64: R14 (g) and BP are not ours; VZEROUPPER stands before every RET; no register or
//     instruction that the dispatch of package kernel does not ask cpuid for.
//   - arm64: R18 and R26 to R30 are not ours.
package asm
