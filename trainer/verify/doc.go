// Package verify measures the error guarantees of the training methods on models whose truth is known
// in closed form (ALGORITHM.md, section 8), through the code that trains images: every number
// comes out of the Step of a method, with exact linear networks in the place of decoder and prior.
//
// An experiment makes checks: a measured number beside the exact one, with its standard error and a
// verdict. Its statistical checks are so wide that a correct program fails one in all of a run
// less than once in a hundred seeds; what they let pass beyond that, such as the next order of an
// expansion, each states as its allowance.
package verify
