// Package compare trains several methods, or one method with several settings, on the same data
// with the same networks, seeds and budget, evaluates every run in the same way, and reports means
// and standard deviations over the seeds.
//
// A wall-clock budget is converted to epochs before the runs begin: the steps of all contestants
// are timed in turns, and each gets the epochs that fit. Every run is then an ordinary one, whose
// result does not depend on the load of the machine; its actual time is reported beside the plan.
package compare
