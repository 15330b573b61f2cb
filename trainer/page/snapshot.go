package page

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/record"
)

// parts are the templates of what a page shows without scripts, and what changes while a run is in
// progress. Each has one section or more.
var parts = []string{
	"overview", "pictures", "quality", "latents", "health", "cost", "configuration",
}

// Snapshot is a page as it is at a moment, to be served to readers who have seen earlier ones.
// Its methods may be called concurrently.
type Snapshot struct {
	page    *Page
	payload payload
	parts   map[string]string // their HTML
	hashes  url.Values        // of all that is sent as a whole
}

// Snapshot renders the parts of a page, which must not be changed afterwards.
func (p *Page) Snapshot() (*Snapshot, error) {
	s := &Snapshot{
		page: p, payload: p.payload(), parts: map[string]string{}, hashes: url.Values{},
	}
	for _, name := range parts {
		var html strings.Builder
		if err := pageTemplate.ExecuteTemplate(&html, name, p); err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		s.parts[name] = html.String()
		s.hashes.Set(name, hash(html.String()))
	}
	s.hashes.Set(chartsKey, hash(fmt.Sprint(s.payload.Charts)))
	for _, r := range p.Runs {
		s.hashes.Add(modelsKey, r.models)
	}
	return s, nil
}

// hashModels identifies what the models of the run tell. It is not done for every snapshot, since
// that may be large.
func (r *Run) hashModels() error {
	var latents *Scatter
	if r.Latents != nil {
		latents = r.Latents.Scatter
	}
	text, err := json.Marshal([]any{r.Curves.Levels, r.Nearest, latents})
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	r.models = hash(string(text))
	return nil
}

// Keys of a state beside the names of the parts.
const chartsKey, modelsKey, recordsKey = "charts", "models", "records"

func hash(text string) string {
	h := fnv.New64a()
	_, _ = io.WriteString(h, text)
	return strconv.FormatUint(h.Sum64(), 36)
}

// State says what the snapshot shows. It may be a value in the query of a URL after escaping, and
// tells a server that has started anew as much as the one that made it.
func (s *Snapshot) State() string {
	state := url.Values{}
	for name, of := range s.hashes {
		state[name] = of
	}
	for _, r := range s.page.Runs {
		state.Add(recordsKey, position(r.records, len(r.records)))
	}
	return state.Encode()
}

// position is the number of records, and a hash of the last of them.
func position(records []record.Epoch, n int) string {
	if n == 0 {
		return "0."
	}
	e := records[n-1]
	return fmt.Sprintf("%d.%s", n, hash(fmt.Sprint(e.Epoch, e.Step, e.Time, e.Seconds)))
}

// Render writes the whole page, with what live says of the server.
func (s *Snapshot) Render(w io.Writer, live Live) error {
	p := *s.page
	live.State = s.State()
	p.Live = &live
	return Render(w, &p)
}

// Update is what is new on a page. Its State is that of the reader who has it.
type Update struct {
	State  string          `json:"state"`
	Curves []Piece         `json:"curves,omitempty"`
	Charts []Chart         `json:"charts,omitempty"` // all, if there are new ones
	Parts  []template.HTML `json:"parts,omitempty"`  // those that have changed
	Models *ModelsOfUpdate `json:"models,omitempty"` // of all runs, if any has changed
}

// Piece is new records of a run.
type Piece struct {
	Number int `json:"number"` // of the run
	From   int `json:"from"`   // records that the reader has; 0: these are all
	Curves
}

// ModelsOfUpdate is what the models of the runs tell, for the scripts of the page.
type ModelsOfUpdate struct {
	Levels  [][]Level  `json:"levels"`
	Nearest []*Nearest `json:"nearest"`
	Latents []*Scatter `json:"latents"`
}

// Since returns what is new to a reader of an earlier state, or of none that can be understood; ok
// is false if nothing is.
func (s *Snapshot) Since(state string) (u Update, ok bool) {
	u.State = s.State()
	if u.State == state {
		return u, false
	}
	before, err := url.ParseQuery(state)
	if err != nil {
		before = nil // the reader gets everything
	}
	for i, r := range s.page.Runs {
		if piece, any := r.since(at(before[recordsKey], i)); any {
			piece.Number = i
			u.Curves = append(u.Curves, piece)
		}
	}
	if before.Get(chartsKey) != s.hashes.Get(chartsKey) {
		u.Charts = s.payload.Charts
	}
	for _, name := range parts {
		if before.Get(name) != s.hashes.Get(name) {
			u.Parts = append(u.Parts, template.HTML(s.parts[name]))
		}
	}
	if !slices.Equal(before[modelsKey], s.hashes[modelsKey]) {
		u.Models = &ModelsOfUpdate{Nearest: s.payload.Nearest, Latents: s.payload.Latents}
		for _, r := range s.page.Runs {
			u.Models.Levels = append(u.Models.Levels, r.Curves.Levels)
		}
	}
	return u, true
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// since are the records after a position; all of them if the run has gone another way since, such
// as after a resumption from an earlier checkpoint, or if there are many.
func (r *Run) since(before string) (p Piece, any bool) {
	number, _, _ := strings.Cut(before, ".")
	n, err := strconv.Atoi(number)
	known := err == nil && n >= 0 && n <= len(r.records) && position(r.records, n) == before
	switch {
	case known && n == len(r.records):
		return p, false
	case known && n > 0 && len(r.records)-n <= mostRecords:
		p.From, p.Curves = n, curves(slices.Clone(r.records[n:]))
	default:
		p.Curves = r.Curves
	}
	p.Run, p.Colour, p.Levels = r.Name, r.Curves.Colour, r.Curves.Levels
	return p, true
}
