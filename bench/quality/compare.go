package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/plume-ml/plume/trainer/machine"
)

// result is what a contestant needed. Without trainings it did not reach the target.
type result struct {
	name      string
	epochs    int // or the most that were tried
	trainings []outcome
}

// compare searches the epochs of every contestant, and trains all of them again in turns, so that
// disturbances of the machine affect all.
func (b *bench) compare(ctx context.Context, list []contestant) ([]result, error) {
	results := make([]result, len(list))
	for i, c := range list {
		epochs, err := search{b.target, b.seeds, b.remembering(ctx, c)}.run(ladder)
		var missed *notReached
		if errors.As(err, &missed) {
			epochs = missed.epochs
		} else if err != nil {
			return nil, err
		}
		results[i] = result{name: c.name(), epochs: epochs}
		if missed != nil {
			list[i] = nil
		}
	}
	for _, seed := range b.seeds {
		for i, c := range list {
			if c == nil {
				continue
			}
			r := &results[i]
			o, err := c.train(ctx, r.epochs, seed)
			if err != nil {
				return nil, fmt.Errorf("%s, %d epochs, seed %d: %w", r.name, r.epochs, seed, err)
			}
			b.tell(training{r.name, string(b.precision), b.cpu, r.epochs, seed}, o, false)
			r.trainings = append(r.trainings, o)
		}
	}
	return results, nil
}

// markdown is the table, with the machine and the precision.
func (b *bench) markdown(results []result) string {
	var t strings.Builder
	d := machine.Describe()
	fmt.Fprintf(&t, "%s; %d threads of %d cores; kernels %s; %s. Until a PCA-64 FD of %.4g; "+
		"products in %s; seeds 1 to %d.\n\n",
		d.CPU, b.threads, d.Cores, d.Kernels, d.Go, b.target, b.precision, len(b.seeds))
	t.WriteString("| | seconds | of the seeds | epochs | PCA-64 FD |\n|---|---:|---|---:|---|\n")
	for _, r := range results {
		if len(r.trainings) == 0 {
			fmt.Fprintf(&t, "| %s | not reached | | %d | |\n", r.name, r.epochs)
			continue
		}
		var seconds, fds, each = []float64{}, []float64{}, []string{}
		for _, o := range r.trainings {
			seconds, fds = append(seconds, o.Seconds), append(fds, o.FD)
			each = append(each, fmt.Sprintf("%.1f", o.Seconds))
		}
		mean, _ := spread(seconds)
		fd, deviation := spread(fds)
		distance := fmt.Sprintf("%.2f", fd)
		if len(fds) > 1 {
			distance += fmt.Sprintf(" ± %.2f", deviation)
		}
		fmt.Fprintf(&t, "| %s | %.1f | %s | %d | %s |\n", r.name, mean, strings.Join(each, ", "),
			r.epochs, distance)
	}
	return t.String()
}

// spread returns the mean and the standard deviation between the numbers.
func spread(x []float64) (mean, deviation float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean) / float64(max(1, len(x)-1))
	}
	return mean, math.Sqrt(deviation)
}
