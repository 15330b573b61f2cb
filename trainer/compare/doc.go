// Package compare trains several methods, or one method with several settings, on the same data
// with the same networks, seeds and budget, evaluates every run in the same way, and reports means
// and standard deviations over the seeds.
//
// A wall-clock budget is turned into epochs before the runs begin: the steps of all contestants are
// timed in turns, and each gets the epochs that fit. From then on every run is an ordinary one,
// whose result does not depend on how busy the machine is; what it really took is reported beside
// the plan.
package compare
