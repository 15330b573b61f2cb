package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// reporter prints what happens in a run: messages and progress to stderr, data to stdout.
type reporter struct {
	status  *status
	quiet   bool
	json    *json.Encoder // nil without --json
	summary trainer.Summary
	err     error // the first of writing to stdout
}

func newReporter(quiet, asJSON bool) *reporter {
	r := &reporter{quiet: quiet}
	if asJSON {
		r.json = json.NewEncoder(os.Stdout)
	}
	var w io.Writer = os.Stderr
	if quiet {
		w = io.Discard
	}
	fd := int(os.Stderr.Fd())
	// A live line and JSON would be mixed on the same terminal.
	mixed := asJSON && term.IsTerminal(int(os.Stdout.Fd()))
	live := term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" && !mixed
	r.status = newStatus(w, live, time.Now)
	if width, _, err := term.GetSize(fd); live && err == nil {
		r.status.setWidth(width)
	}
	return r
}

// envPlain asks for a line in the place of the view.
const envPlain = "PLUME_PLAIN"

// plainByEnv reports whether the environment asks for that.
func plainByEnv() bool {
	switch strings.ToLower(os.Getenv(envPlain)) {
	case "", "0", "false", "no":
		return false
	}
	return true
}

// showView shows a view with curves where the progress is on a terminal that allows it. The
// function that it returns ends that.
func (r *reporter) showView() (end func()) {
	if !r.status.live || r.quiet {
		return func() {}
	}
	r.status.setView(os.Getenv("NO_COLOR") != "", func() (cols, rows int) {
		cols, rows, err := term.GetSize(int(os.Stderr.Fd()))
		if err != nil {
			return 0, 0
		}
		return cols, rows
	})
	return watchTerminal(r.status.redraw)
}

// hook returns the functions that the trainer calls.
func (r *reporter) hook() trainer.Hook {
	return trainer.Hook{
		OnStart:   r.start,
		OnStep:    r.status.step,
		OnEpoch:   r.epoch,
		OnMessage: r.status.message,
		OnWarning: r.warn,
		OnEnd:     func(s trainer.Summary) { r.summary = s },
	}
}

// start shows the curves of earlier sessions. If they cannot be read, the curves begin with this
// one.
func (r *reporter) start(s trainer.Start) {
	if r.status.view != nil && s.Step > 0 {
		records, err := run.ReadRecords(s.Dir)
		if err == nil {
			r.status.recall(records)
		}
	}
}

// warn prints a warning, even if progress is not printed.
func (r *reporter) warn(text string) { r.insist("WARNING: " + text) }

// insist prints a line, even if progress is not printed.
func (r *reporter) insist(text string) {
	if r.quiet {
		fmt.Fprintln(os.Stderr, text)
		return
	}
	r.status.message(text)
}

func (r *reporter) epoch(e record.Epoch) {
	r.status.epoch(e)
	if r.json != nil {
		r.print(r.json.Encode(e))
	}
}

func (r *reporter) print(err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("writing to stdout: %w", err)
	}
}

// end prints the name of the run to stdout, and its result and the picture to open to stderr.
func (r *reporter) end(runDir string) error {
	s := r.summary
	r.status.close()
	if r.json != nil {
		r.print(r.json.Encode(struct {
			RunDir  string       `json:"run_dir"`
			Ended   string       `json:"ended,omitempty"` // why before the last epoch
			Samples string       `json:"samples,omitempty"`
			Recon   string       `json:"reconstructions,omitempty"`
			Seconds float64      `json:"seconds"`
			Read    data.Summary `json:"read"`
			// that training waited for checkpoints
			Stalled float64 `json:"checkpoint_seconds"`
			// that the parts of the run add up to
			Sum  int64 `json:"memory_bytes"`
			Peak int64 `json:"peak_memory_bytes,omitempty"` // of the process, if known
		}{runDir, s.Ended, s.SamplePath, s.ReconPath, s.Seconds, s.Read, s.Stall.Seconds,
			s.Memory.Sum, s.Memory.Peak}))
	} else {
		_, err := fmt.Println(runDir)
		r.print(err)
	}

	r.status.message(summaryLine(s))
	r.status.message(stallLine(s.Stall))
	r.status.message(peakLine(s.Memory))
	if warning := peakWarning(s.Memory); warning != "" {
		r.warn(warning)
	}
	r.status.message(picturesLine(s, runDir))
	return r.err
}

// picturesLine names the pictures of a run.
func picturesLine(s trainer.Summary, runDir string) string {
	switch {
	case s.Samples == 0:
		return fmt.Sprintf("No samples were drawn or measured: eval_samples is 0. "+
			"Measure the model with: plume eval %s", runDir)
	case s.SamplePath == "" || s.ReconPath == "":
		const text = "There are no pictures of the last report. Draw some with: plume sample %s"
		return fmt.Sprintf(text, runDir)
	}
	return fmt.Sprintf("Reconstructions: %s\nSamples: open %s", s.ReconPath, s.SamplePath)
}

// finished prints the name of a run that has nothing left to do.
func (r *reporter) finished(runDir string) error {
	r.status.close()
	r.status.message(fmt.Sprintf("%s is finished: there is nothing to do. "+
		"A larger number of epochs continues it.", runDir))
	if r.json != nil {
		r.print(r.json.Encode(struct {
			RunDir   string `json:"run_dir"`
			Finished bool   `json:"finished"`
		}{runDir, true}))
	} else {
		_, err := fmt.Println(runDir)
		r.print(err)
	}
	return r.err
}

// diverged prints, with --json, that a run diverged.
func (r *reporter) diverged(runDir string) {
	if r.json != nil {
		r.print(r.json.Encode(struct {
			RunDir   string `json:"run_dir"`
			Diverged bool   `json:"diverged"`
		}{runDir, true}))
	}
}

// figures prints four decimals, or three digits of a number of unlikely size.
func figures(x float64) string {
	if x >= 1e6 {
		return fmt.Sprintf("%.3g", x)
	}
	return fmt.Sprintf("%.4f", x)
}

// summaryLine is the result of a run in one line.
func summaryLine(s trainer.Summary) string {
	took := time.Duration(s.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	text := fmt.Sprintf("Trained %s in %v: reconstruction MSE %s",
		plural(s.Steps, "step", "steps"), took, figures(float64(s.Final.ReconMSE)))
	if s.Final.PCA64FD == nil {
		return text
	}
	drawn := humanize.Comma(int64(s.Samples))
	text += fmt.Sprintf(", PCA-64 FD %.2f of %s samples", *s.Final.PCA64FD, drawn)
	if !math.IsNaN(s.RealFloor) {
		heldOut := humanize.Comma(int64(s.RealImages))
		text += fmt.Sprintf(" (%s held-out rows: %.2f)", heldOut, s.RealFloor)
	}
	return text
}

// stallLine says how long checkpoints held up training.
func stallLine(s run.Stall) string {
	return fmt.Sprintf("Checkpoints held up training for %.2g s (%.2g %%)", s.Seconds, 100*s.Share)
}

// gonumWarning is completed by the remedy.
const gonumWarning = `
****************************************************************************
  WARNING: gonum multiplies matrices in plain Go, which is 10 to 25 times
  slower than machine code. To fix it:
      %s
****************************************************************************
`

// backendLine describes the backend and the kernels in one line.
func backendLine() string {
	b := blas.Info()
	line := "BLAS: " + b.Library
	if b.Core != "" {
		line += fmt.Sprintf(", core %s", b.Core)
	}
	threads := plural(b.Threads, "thread per call", "threads per call")
	return fmt.Sprintf("%s, %s. Kernels: %s.", line, threads, kernel.Info().Path)
}

// backendWarning says why the products are slower than they could be on this machine, if they are.
func backendWarning() string {
	switch b := blas.Info(); {
	case b.Backend == "gonum":
		fix := "sudo apt-get install libopenblas-dev && make build"
		if best := blas.Available()[0]; best != b.Backend {
			fix = "--blas " + best + " (or PLUME_BLAS=" + best + ")"
		}
		return fmt.Sprintf(gonumWarning, fix)
	case b.Warning != "":
		return "WARNING: " + b.Warning + "."
	}
	return ""
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}
