// Package page shows runs as one HTML page that needs nothing else: no other file and no network.
//
// Read gathers what the page shows of stored runs, and Render writes it. A page that is served
// (Page.Live) is the same page: Join puts it together of runs that ReadRun reads again and again,
// and a Snapshot says what is new to a reader who has an earlier one. RenderList writes the list of
// runs that leads to such pages.
//
// The size of a page is bounded. It shows at most MostRuns runs, of each at most 24 pictures over
// time, 600 records of a curve, 800 latents, and the histograms of 64 latent dimensions. The
// pictures of all runs have at most 40 MiB.
package page

import (
	"html/template"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// MostRuns is the largest number of runs on a page.
const MostRuns = 8

// Page is what a page shows. It has no times but those of the runs, so that the same runs make the
// same page.
type Page struct {
	Title       string
	Version     string // of plume
	Runs        []*Run
	Differences []run.Difference // of several runs; nil for one
	Charts      []Chart
	Live        *Live // nil: the page is a file
}

// Live says where a page that is served finds the server. URLs are relative to the page's.
type Live struct {
	Home   string // the list of all runs; "": there is none
	Events string // the stream of Updates, or of ListUpdates; "?at=" and a state may follow
	Stop   string // stops the run that a POST names
	Token  string // which that needs
	State  string // what the page shows at first
}

// Stop says how a run in progress can be stopped from its page.
type Stop struct {
	Run string // as the server calls it
	Why string // "": it can be stopped; otherwise why not
}

// Run is what is shown of a run.
type Run struct {
	Number  int    // from 0, which decides the colour
	Name    string // of its directory
	State   string // "finished"
	Tags    []string
	Note    string // what people say about the run
	Stop    *Stop  // nil: it is not in progress, or the page is a file
	Facts   []Fact
	Notes   []string // what is not shown, and why
	Curves  Curves
	Samples []Strip // over time
	Recons  []Strip // of training rows, over time
	// Nearest are the training rows nearest to the samples of the last picture; nil: not known.
	Nearest *Nearest

	Quality  *evaluate.Report // nil: not measured
	Drawn    []Picture        // by it, of samples
	Held     []Picture        // of held-out rows
	Latents  *Latents         // nil: there are none
	Health   []Finding
	Cost     record.Cost    // of the steps
	Levels   *record.Levels // the newest; nil: there are none
	Time     []Share
	Memory   []Share
	Settings []Group
	Commands []Command

	dir     string
	records []record.Epoch
	drawn   *Frame // samples of the newest checkpoint; nil: there are none
	models  string // hash of what models tell
}

// Fact is something known about a run.
type Fact struct{ Name, Value string }

// Command is a command line, and what it does.
type Command struct{ About, Line string }

// Share is a part of a whole.
type Share struct {
	Name  string
	Value string  // with its unit
	Share float64 // of the largest whole that is drawn, in [0, 1]
}

// Picture is a PNG.
type Picture struct {
	Title, About  string
	URI           template.URL
	Width, Height int
}

// Strip is pictures of the same things over time.
type Strip struct {
	Title, About string
	Frames       []Frame
	Left         int // pictures that are left out
}

// Frame is a picture of a Strip.
type Frame struct {
	Step int
	Picture
}

// Curves are the records of a run. The numbers of X and Y belong together.
type Curves struct {
	Run    string             `json:"run"`
	Colour int                `json:"colour"`
	X      map[string]numbers `json:"x"`
	Y      map[string]numbers `json:"y"`
	Levels []Level            `json:"levels,omitempty"`
}

// Level is a value that a curve is compared with, such as that of real images, or at the end of the
// curve a value with its interval.
type Level struct {
	Chart string        `json:"chart"`
	Name  string        `json:"name"`
	Value record.Number `json:"value"`
	Low   record.Number `json:"low"` // NaN: without an interval
	High  record.Number `json:"high"`
}

// Chart is one diagram of curves of all runs.
type Chart struct {
	Key     string `json:"key"` // of the numbers in Curves.Y
	Title   string `json:"title"`
	About   string `json:"about"`
	Section string `json:"section"` // of the page
	Log     bool   `json:"log"`     // a logarithmic axis at first
	Percent bool   `json:"percent"` // shares, shown as percentages
	// Also is another key, shown dashed in the same diagram; "": none.
	Also      string `json:"also,omitempty"`
	AlsoTitle string `json:"alsoTitle,omitempty"`
}
