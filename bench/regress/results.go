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

// results are the contents of a file in the Go benchmark format.
type results struct {
	file   string
	config map[string]string // of the last result
	names  []string          // in the order of the file, with their packages, if it names them
	units  map[string][]string
	values map[series][]float64

	packages map[string]bool
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

// read reads results; it is an error if there are none.
func read(in io.Reader, file string) (*results, error) {
	r := &results{
		file: file, config: map[string]string{},
		units: map[string][]string{}, values: map[series][]float64{}, packages: map[string]bool{},
	}
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
	name := string(result.Name)
	for _, c := range result.Config {
		r.config[c.Key] = string(c.Value)
		if c.Key == "pkg" {
			name = string(c.Value) + "." + name
			r.packages[string(c.Value)] = true
		}
	}
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

// sameMachine is an error if the results are of another CPU or, where they name some, of other
// kernels of plume.
func (r *results) sameMachine() error {
	here := machine.Describe()
	var problems []error
	for _, k := range []struct{ key, want string }{
		{machine.KeyCPU, here.CPU}, {machine.KeyKernels, here.Kernels},
	} {
		if got := r.config[k.key]; got == "" && k.key == machine.KeyKernels {
			continue
		} else if got == "" {
			problems = append(problems, fmt.Errorf("%s: expected a line %q above the results: "+
				"was it recorded by this program?", r.file, k.key+": ..."))
		} else if got != k.want {
			problems = append(problems, fmt.Errorf(
				"%s: %s: %s, here it is %s: numbers of different "+
					"machines do not compare; record a baseline here", r.file, k.key, got, k.want))
		}
	}
	return errors.Join(problems...)
}

// relevant are the keys on which both sides should agree.
var relevant = []string{machine.KeyCPU, machine.KeyKernels, "cores", "blas", "go"}

// differs lists what may explain a difference other than the code. A change of the machine's own
// speed counts from a share of tolerance.
func (r *results) differs(other *results, tolerance float64) (list []string) {
	for _, key := range relevant {
		a, b := r.config[key], other.config[key]
		if a != b && a != "" && b != "" {
			list = append(list, fmt.Sprintf("%s: %s in the base, %s here", key, a, b))
		}
	}
	then, _, err1 := humanize.ParseSI(r.config[machine.KeyPeak])
	now, _, err2 := humanize.ParseSI(other.config[machine.KeyPeak])
	if err1 == nil && err2 == nil && math.Abs(now/then-1) > tolerance {
		const text = "one core of this machine gave %s when the base was measured, and gives %s now"
		list = append(list,
			fmt.Sprintf(text, r.config[machine.KeyPeak], other.config[machine.KeyPeak]))
	}
	return list
}

// ignored returns the configuration keys whose values differ, which benchstat is to ignore.
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
