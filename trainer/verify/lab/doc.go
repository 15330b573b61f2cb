// Package lab is what the experiments of package verify share: the checks that they make, the
// statistics behind the verdicts, and plain trainings to measure.
package lab
