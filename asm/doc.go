// Package asm is the home of plume's machine code; as yet it holds none, and package kernel runs
// its generic reference. An instruction set gets a folder of its own (avx2, avx512, neon) with the same
// function names and signatures as the others; package kernel chooses between them at run time,
// and nothing else imports them.
//
// Rules for every function here: one call handles at most 64 Ki floats, since assembly cannot
// be preempted; SP is 8-byte aligned; R14 (g) and BP are not ours; VZEROUPPER stands before
// every RET that follows use of a YMM or ZMM register; a function computes what the generic
// path computes, in the order that package kernel documents.
package asm
