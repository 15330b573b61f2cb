package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/monitor"
)

// profiling is the flags of the group Profiling. The zero value asks for nothing.
type profiling struct {
	cpu, mem, trace, address string

	outputs []*output
	server  *server
	monitor monitor.Monitor // whose numbers are served
}

func (p *profiling) addFlags(flags *pflag.FlagSet) {
	add := func(value *string, name, help string) {
		flags.StringVar(value, name, "", help)
		flags.Lookup(name).Annotations = map[string][]string{groupAnnotation: {"Profiling"}}
	}
	add(&p.cpu, "cpuprofile", "write a CPU profile to this `file`, for go tool pprof; "+
		"its samples are labelled with the phase of the step")
	add(&p.mem, "memprofile",
		"write a profile of the memory in use at the end to this `file`, for go tool pprof")
	add(&p.trace, "trace", "write an execution trace to this `file`, for go tool trace")
	add(&p.address, "listen", "serve /metrics (OpenMetrics), /healthz and profiles over HTTP at "+
		"this `address`; \":6060\" is open to this machine alone, port 0 is any free one")
}

// recorder starts writing a profile to w, which lasts until end is called.
type recorder func(w io.Writer) (end func(), err error)

// start begins all that was asked for, or nothing if it returns an error. tell prints a line.
func (p *profiling) start(tell func(string)) (err error) {
	defer func() {
		if err != nil {
			err = p.end(err)
		}
	}()
	if p.address != "" { // before any file is overwritten, in case the address is wrong
		if p.server, err = listen(p.address, &p.monitor, tell); err != nil {
			return err
		}
	}
	// They end in reverse order, so that the garbage collection of the memory profile is in no
	// other.
	for _, o := range []*output{
		{flag: "--memprofile", path: p.mem, record: recordMemory},
		{flag: "--cpuprofile", path: p.cpu, record: recordCPU},
		{flag: "--trace", path: p.trace, record: recordTrace},
	} {
		if o.path == "" {
			continue
		}
		if err := o.open(p.outputs); err != nil {
			return err
		}
		p.outputs = append(p.outputs, o)
	}
	for _, o := range p.outputs {
		if err := o.begin(); err != nil {
			return err
		}
	}
	return nil
}

// stop ends what start began, and returns the errors of writing. A second call does nothing.
func (p *profiling) stop() (err error) {
	for len(p.outputs) > 0 {
		last := len(p.outputs) - 1
		err = errors.Join(err, p.outputs[last].close())
		p.outputs = p.outputs[:last]
	}
	if p.server != nil {
		err = errors.Join(err, p.server.close())
		p.server = nil
	}
	return err
}

// end is stop for a command that ends with err. An error of a profile makes the command fail.
func (p *profiling) end(err error) error { return alsoFailed(err, p.stop()) }

// alsoFailed adds the error of a profile, if any, to that of a command, which then fails.
func alsoFailed(err, profile error) error {
	if profile == nil {
		return err
	}
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		err = exit.err
	}
	return &exitError{exitFailure, errors.Join(err, profile)}
}

// output is a profile being written, and its file. It keeps the first error of writing, which the
// runtime's profilers ignore.
type output struct {
	flag, path string
	record     recorder
	file       *os.File
	end        func() // nil before it began
	err        error
}

// open creates the file, which must not be that of another output.
func (o *output) open(others []*output) (err error) {
	if o.file, err = os.Create(o.path); err != nil {
		return usage(fmt.Errorf("%s: expected a file that can be written: %w", o.flag, err))
	}
	mine, err := o.file.Stat()
	for _, other := range others {
		theirs, otherErr := other.file.Stat()
		if err = errors.Join(err, otherErr); err == nil && mine.Mode().IsRegular() &&
			os.SameFile(mine, theirs) {
			err = usage(fmt.Errorf("%s and %s both name %s: expected a file each",
				other.flag, o.flag, o.path))
		}
	}
	if err != nil {
		o.file.Close()
	}
	return err
}

func (o *output) begin() error {
	end, err := o.record(o)
	if err != nil {
		return fmt.Errorf("%s: %w", o.flag, err)
	}
	o.end = end
	return nil
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	n, err := o.file.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

func (o *output) close() error {
	if o.end != nil {
		o.end()
	}
	err := o.file.Close()
	if o.err != nil {
		err = o.err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.flag, err)
	}
	return nil
}

func recordCPU(w io.Writer) (end func(), err error) {
	return pprof.StopCPUProfile, pprof.StartCPUProfile(w)
}

func recordTrace(w io.Writer) (end func(), err error) {
	return trace.Stop, trace.Start(w)
}

// recordMemory writes a profile of the memory in use at the end, after a garbage collection.
func recordMemory(w io.Writer) (end func(), err error) {
	return func() {
		runtime.GC()
		_ = pprof.WriteHeapProfile(w) // the output keeps the error
	}, nil
}
