package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/suggest"
)

// Measure says how thoroughly runs are measured for their page.
type Measure string

// The measures.
const (
	Quick Measure = "quick" // what takes seconds, and the nearest training rows
	All   Measure = "all"   // all that evaluate.Run measures
	None  Measure = "none"  // nothing: the page has no held-out rows and no intervals
	// Written opens no model either: the page shows what the run has written, with neither nearest
	// rows nor latents.
	Written Measure = "written"
)

// Measures lists all of them.
var Measures = []Measure{Quick, All, None, Written}

// Options say how runs are read. The zero value is ready to use.
type Options struct {
	Measure Measure // "": Quick
	Data    string  // path of the runs' data; "": where they were
	Raw     bool    // use the weights themselves, not their moving average
	Threads int     // workers; 0: all cores; does not affect the page

	// Link is the URL of a picture that the run has written, of which it gets the base name and
	// the time; nil: the pictures are in the page itself.
	Link func(name string, changed time.Time) string

	Progress func(string) // is called with what is being done; may be nil
	Warn     func(string) // is called with warnings for the user; may be nil
}

// Validate reports values out of range.
func (o Options) Validate() error {
	known := config.Names(Measures)
	if o.Measure != "" && !slices.Contains(Measures, o.Measure) {
		return fmt.Errorf("measure is %q; expected one of %s%s", o.Measure,
			strings.Join(known, ", "), suggest.DidYouMean(string(o.Measure), known))
	}
	if o.Threads < 0 {
		return fmt.Errorf("threads is %d; expected 0 or more", o.Threads)
	}
	return nil
}

// Read gathers what the page shows of the runs in dirs. What cannot be shown of a run, since it has
// no checkpoint yet or its data are gone, is left out, with a note on the page and a warning. Read
// stops early, with ctx's error, when ctx ends.
func Read(ctx context.Context, dirs []string, o Options) (*Page, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if n := len(dirs); n < 1 || n > MostRuns {
		return nil, fmt.Errorf("%d runs: expected 1 to %d on a page", n, MostRuns)
	}
	var runs []*Run
	for _, dir := range dirs {
		r, err := ReadRun(ctx, dir, len(dirs), o)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return Join(runs)
}

// Join puts runs on a page, in this order. Of several runs it reads again in what they differ.
func Join(runs []*Run) (*Page, error) {
	p := &Page{Version: run.Version()}
	var names, dirs []string
	for i, r := range runs {
		own := *r // of this page: the run may be on another one, with another number
		own.Number, own.Curves.Colour = i, i%colours
		p.Runs = append(p.Runs, &own)
		names, dirs = append(names, r.Name), append(dirs, r.dir)
	}
	p.Title = strings.Join(names, ", ")
	p.Charts = shownCharts(p.Runs)
	if len(runs) > 1 {
		compared, err := run.Compare(dirs)
		if err != nil {
			return nil, err
		}
		p.Differences = append(slices.Concat(compared.Configuration, compared.Circumstances,
			compared.Results), measuredDifferences(p.Runs)...)
	}
	return p, nil
}

// reading is a run while it is read.
type reading struct {
	*Run
	Options
	ctx    context.Context
	stored *run.Run
	info   run.Info
	room   *budget
	own    *run.Data // nil: not to be had
}

// ReadRun gathers what is shown of a run on a page of so many runs.
func ReadRun(ctx context.Context, dir string, of int, o Options) (*Run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	for _, f := range []*func(string){&o.Progress, &o.Warn} {
		if *f == nil {
			*f = func(string) {}
		}
	}
	stored, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	x := &reading{
		Run:     &Run{Name: filepath.Base(absolute), dir: dir},
		Options: o, ctx: ctx, stored: stored, room: &budget{pictureBytes / of, o.Link},
	}
	if x.info, err = run.ReadInfo(dir); err != nil {
		return nil, err
	}
	seen := run.Overlook(dir)
	x.State, x.Tags, x.Note = seen.Status, seen.Tags, seen.Note
	records, err := run.ReadRecords(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	x.records, x.Curves = records, curves(records)
	x.Curves.Run = x.Name
	x.Facts = facts(stored.Config, x.info, records)
	x.Cost, x.Levels = record.CostOf(records), record.LastLevels(records)
	x.Time, x.Memory = times(records), memories(x.info.Memory)
	differs, err := run.FromDefaults(dir)
	if err != nil {
		return nil, err
	}
	x.Settings, x.Commands = settings(stored.Config, differs), commands(dir, x.info)
	if err := x.models(); err != nil {
		return nil, err
	}
	x.placeDrawn()
	if err := x.hashModels(); err != nil {
		return nil, err
	}
	x.Health = x.health(records, x.info)
	return x.Run, nil
}

// models gathers what needs the checkpoint, after the pictures that the run has written.
func (x *reading) models() error {
	if x.Measure == Written {
		return x.pictures()
	}
	saved, err := checkpoint.List(x.stored.Dir)
	if err != nil {
		return err
	}
	if len(saved) == 0 {
		x.note("no samples, measurements and latents: the run has no checkpoint yet")
		return x.pictures()
	}
	report := progress.Reporter{Report: x.Progress}
	own, err := x.stored.ReadData(x.ctx, x.Data, report, x.Warn)
	if x.ctx.Err() != nil {
		return x.ctx.Err()
	} else if err != nil {
		x.note("no measurements and no training rows: %v", err)
	} else {
		x.own = &own
	}
	for _, part := range []struct {
		what string
		do   func() error
	}{
		{"samples", x.drawSamples}, {"measurements", x.measure}, {"pictures", x.pictures},
		{"latents", x.latents},
	} {
		x.Progress(part.what + " of " + x.stored.Dir)
		err := part.do()
		if x.ctx.Err() != nil {
			return x.ctx.Err()
		} else if err != nil {
			x.note("no %s: %v", part.what, err)
		}
	}
	return nil
}

// note says on the page and to the user what is missing.
func (x *reading) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	x.Notes = append(x.Notes, text)
	x.Warn(x.stored.Dir + ": " + text)
}

const samplesTitle, samplesAbout = "Samples", "The same noise at all times."

// pictures reads those that the run has written: a quarter of its room is for reconstructions.
func (x *reading) pictures() error {
	half := x.room.left / 2
	strips := []struct {
		to         *[]Strip
		kind       string
		title, say string
		room       int
	}{
		{&x.Samples, "step", samplesTitle, samplesAbout, half},
		{&x.Recons, "recon", "Training rows", "Rows above what the model makes of them.", half / 2},
	}
	if x.stored.Config.As == data.Columns {
		strips[0].title, strips[0].say = "Columns", "Each column in the data and in samples."
		strips[1].say = "Cells of training rows against what the model makes of them."
		strips = append(strips, strips[1])
		strips[1].to, strips[1].kind, strips[1].room = &x.Samples, "pairs", half/2
		strips[1].title, strips[1].say = "Pairs of columns", "In the data and in samples."
	}
	if x.stored.Config.As == data.Signals {
		strips[1].say = "Rows, pale, and what the model makes of them."
	}
	for _, s := range strips {
		read, err := x.room.strip(Strip{Title: s.title, About: s.say}, x.stored.Dir, s.kind, s.room)
		if err != nil {
			return err
		}
		if len(read.Frames) > 0 {
			*s.to = append(*s.to, read)
		}
	}
	return nil
}

// placeDrawn puts the samples that were drawn among those that the run has drawn itself, which it
// replaces at the same step.
func (r *Run) placeDrawn() {
	if r.drawn == nil {
		return
	}
	if len(r.Samples) == 0 {
		r.Samples = []Strip{{Title: samplesTitle, About: samplesAbout}}
	}
	all := &r.Samples[0].Frames
	at, found := slices.BinarySearchFunc(*all, r.drawn.Step, func(f Frame, step int) int {
		return cmp.Compare(f.Step, step)
	})
	if found {
		(*all)[at] = *r.drawn
	} else {
		*all = slices.Insert(*all, at, *r.drawn)
	}
}

// Keep gives a run that was read as Written what an earlier reading has found with its models: the
// measurements, the latents, and the samples of a checkpoint with their nearest training rows.
func (r *Run) Keep(from *Run) {
	r.Quality, r.Drawn, r.Held, r.Latents = from.Quality, from.Drawn, from.Held, from.Latents
	r.Nearest, r.drawn, r.Notes = from.Nearest, from.drawn, from.Notes
	r.Curves.Levels, r.models = from.Curves.Levels, from.models
	r.Health = append(r.Health, r.ofCopies()...)
	r.placeDrawn()
}

// measure evaluates the run as the options say.
func (x *reading) measure() error {
	if x.own == nil || x.Measure == None {
		return nil
	}
	o := evaluate.Options{}
	if x.Measure != All {
		o = evaluate.Quick()
		o.Which = append(o.Which, evaluate.Memorisation)
	}
	return x.evaluate(o)
}
