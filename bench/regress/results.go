package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/dustin/go-humanize"
	"golang.org/x/perf/benchfmt"

	"github.com/plume-ml/plume/trainer/machine"
)

// results are what a file in the Go benchmark format holds.
type results struct {
	file   string
	config map[string]string // of the last result
	names  []string          // in the order of the file
	units  map[string][]string
	values map[series][]float64
}

// series is one measure of one benchmark.
type series struct{ name, unit string }

func readFile(file string) (*results, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return read(bytes.NewReader(text), file)
}

// read reads results; a file without any is an error.
func read(in io.Reader, file string) (*results, error) {
	r := &results{file: file, config: map[string]string{}, units: map[string][]string{}, values: map[series][]float64{}}
	reader := benchfmt.NewReader(in, file)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, record
		case *benchfmt.Result:
			r.add(record)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(r.names) == 0 {
		return nil, fmt.Errorf("%s: expected the results of benchmarks, found none", file)
	}
	return r, nil
}

func (r *results) add(result *benchfmt.Result) {
	for _, c := range result.Config {
		r.config[c.Key] = string(c.Value)
	}
	name := string(result.Name)
	if r.units[name] == nil {
		r.names = append(r.names, name)
	}
	for _, v := range result.Values {
		s := series{name, v.Unit}
		if r.values[s] == nil {
			r.units[name] = append(r.units[name], v.Unit)
		}
		r.values[s] = append(r.values[s], v.Value)
	}
}

// sameMachine refuses what another CPU or other kernels measured.
func (r *results) sameMachine() error {
	here := machine.Describe()
	var problems []error
	for _, k := range []struct{ key, want string }{{machine.KeyCPU, here.CPU}, {machine.KeyKernels, here.Kernels}} {
		key, want := k.key, k.want
		if got := r.config[key]; got == "" {
			problems = append(problems, fmt.Errorf("%s: expected a line %q above the results: was it recorded by this program?", r.file, key+": ..."))
		} else if got != want {
			problems = append(problems, fmt.Errorf("%s: %s: %s, here it is %s: numbers of different machines do not compare; record a baseline here", r.file, key, got, want))
		}
	}
	return errors.Join(problems...)
}

// telling are the keys in which both sides should agree.
var telling = []string{machine.KeyCPU, machine.KeyKernels, "cores", "blas", "go"}

// differs says what else than the code may explain a difference; a machine whose own speed changed
// by more than a share of tolerance is said to have changed.
func (r *results) differs(other *results, tolerance float64) (list []string) {
	for _, key := range telling {
		a, b := r.config[key], other.config[key]
		if a != b && a != "" && b != "" {
			list = append(list, fmt.Sprintf("%s: %s in the base, %s here", key, a, b))
		}
	}
	then, _, err1 := humanize.ParseSI(r.config[machine.KeyPeak])
	now, _, err2 := humanize.ParseSI(other.config[machine.KeyPeak])
	if err1 == nil && err2 == nil && math.Abs(now/then-1) > tolerance {
		list = append(list, fmt.Sprintf("one core of this machine gave %s when the base was measured, and gives %s now",
			r.config[machine.KeyPeak], other.config[machine.KeyPeak]))
	}
	return list
}

// ignored are the configuration keys that must not keep benchstat from comparing.
func (r *results) ignored(other *results) (keys []string) {
	for _, side := range []*results{r, other} {
		for key := range side.config {
			if r.config[key] != other.config[key] {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
