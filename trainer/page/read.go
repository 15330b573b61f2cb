package page

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/progress"
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
)

// Measures lists all of them.
var Measures = []Measure{Quick, All, None}

// Options say how runs are read. The zero value is ready to use.
type Options struct {
	Measure Measure // "": Quick
	Data    string  // path of the runs' data; "": where they were
	Raw     bool    // use the weights themselves, not their moving average
	Threads int     // workers; 0: all cores; does not affect the page

	Progress func(string) // is called with what is being done; may be nil
	Warn     func(string) // is called with warnings for the user; may be nil
}

// Validate reports values out of range.
func (o Options) Validate() error {
	known := []string{string(Quick), string(All), string(None)}
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
	for _, f := range []*func(string){&o.Progress, &o.Warn} {
		if *f == nil {
			*f = func(string) {}
		}
	}
	p := &Page{Version: run.Version()}
	var names []string
	for i, dir := range dirs {
		r, err := read(ctx, dir, i, pictureBytes/len(dirs), o)
		if err != nil {
			return nil, err
		}
		p.Runs = append(p.Runs, r)
		names = append(names, r.Name)
	}
	p.Title = strings.Join(names, ", ")
	p.Charts = shownCharts(p.Runs)
	if len(dirs) > 1 {
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

// read gathers what is shown of a run, with pictures of so many bytes.
func read(ctx context.Context, dir string, number, room int, o Options) (*Run, error) {
	stored, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	x := &reading{
		Run:     &Run{Number: number, Name: filepath.Base(absolute)},
		Options: o, ctx: ctx, stored: stored, room: &budget{room},
	}
	if x.info, err = run.ReadInfo(dir); err != nil {
		return nil, err
	}
	x.State = run.Overlook(dir).Status
	records, err := run.ReadRecords(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	x.Curves = curves(records)
	x.Curves.Run, x.Curves.Colour = x.Name, number%colours
	x.Facts = facts(stored.Config, x.info, records)
	x.Time, x.Memory = times(records), memories(x.info.Memory)
	differs, err := run.FromDefaults(dir)
	if err != nil {
		return nil, err
	}
	x.Settings, x.Commands = settings(stored.Config, differs), commands(dir, x.info)
	if err := x.models(); err != nil {
		return nil, err
	}
	x.Health = x.health(records, x.info)
	return x.Run, nil
}

// models gathers what needs the checkpoint, after the pictures that the run has written.
func (x *reading) models() error {
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

// pictures reads those that the run has written: a quarter of its room is for reconstructions.
func (x *reading) pictures() error {
	half := x.room.left / 2
	strips := []struct {
		to         *[]Strip
		kind       string
		title, say string
		room       int
	}{
		{&x.Samples, "step", "Samples", "The same noise at all times.", half},
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
		x.place(s.to, read)
	}
	return nil
}

// place adds a strip, to the end of which a picture may already have been drawn.
func (x *reading) place(to *[]Strip, s Strip) {
	if to == &x.Samples && len(*to) == 1 && (*to)[0].Title == s.Title {
		drawn := (*to)[0].Frames[0]
		s.Frames = slices.DeleteFunc(s.Frames, func(f Frame) bool { return f.Step >= drawn.Step })
		s.Frames = append(s.Frames, drawn)
		*to = nil
	}
	if len(s.Frames) > 0 {
		*to = append(*to, s)
	}
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
