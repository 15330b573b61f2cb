// Package verify measures the error guarantees of the training methods on models whose truth is
// known in closed form (ALGORITHM.md, section 8), with the code that trains images: every number
// comes from the Step of a method, with exact networks in place of decoder and score.
//
// The experiments are in packages toy, linear and mixture. Each makes checks: a measured number
// beside the exact one, with its standard error and a verdict. The accepted intervals are so wide
// that a correct program fails any check of a run for fewer than one seed in a hundred. Errors
// that are not statistical, such as the next order of an expansion, are stated with the check as
// its allowance.
package verify
