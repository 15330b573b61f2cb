package page

import (
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// List is the page that leads to those of runs.
type List struct {
	Title   string
	Version string // of plume
	Empty   string // what is said if there are no runs
	Rows    []Row
	Live    *Live
}

// Row is a run of a List.
type Row struct {
	run.Overview
	Name string // by which the server calls it
	URL  string // of its page
}

// ListUpdate is what is new on a List.
type ListUpdate struct {
	All     bool      `json:"all,omitempty"` // other rows are gone
	Rows    []RowHTML `json:"rows,omitempty"`
	Removed []string  `json:"removed,omitempty"` // names
}

// RowHTML is a row as HTML.
type RowHTML struct {
	Name string        `json:"name"`
	HTML template.HTML `json:"html"`
}

// column is a column of a List.
type column struct{ Key, Title string }

var listColumns = []column{
	{"name", "Run"}, {"status", "State"}, {"method", "Method"}, {"data", "Data"},
	{"epochs", "Epochs"}, {"fd", "PCA-64 FD"}, {"heldout", "Held-out error"}, {"error", "Error"},
	{"time", "Time"}, {"started", "Started"},
}

// RenderList writes the list as an HTML document.
func RenderList(w io.Writer, l *List) error {
	err := pageTemplate.ExecuteTemplate(w, "list", struct {
		*List
		document
		Columns  []column
		Statuses []string
	}{l, newDocument(listScripts, true), listColumns, run.Statuses()})
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// RenderRow returns a row as HTML.
func RenderRow(r Row) (RowHTML, error) {
	var html strings.Builder
	if err := pageTemplate.ExecuteTemplate(&html, "row", r); err != nil {
		return RowHTML{}, fmt.Errorf("page: %w", err)
	}
	return RowHTML{r.Name, template.HTML(html.String())}, nil
}

// DataName is the data without the directories that they are in.
func (r Row) DataName() string {
	if r.Data == "" {
		return ""
	}
	return filepath.Base(r.Data)
}

// StartedAt is when the run started, to be read and sorted; "" if that is not known.
func (r Row) StartedAt() string {
	if r.Started.IsZero() {
		return ""
	}
	return r.Started.Local().Format("2006-01-02 15:04")
}

// Took is the time that the run has taken, for readers.
func (r Row) Took() string {
	if !record.Number(r.Seconds).Finite() {
		return ""
	}
	return duration(float64(r.Seconds))
}

// Message is a page of a few words.
type Message struct {
	Title, Text string
	Home        string // URL of the list of runs; "": there is none
	Again       bool   // the page looks again every few seconds
	Token       bool   // it asks for a token,
	Wrong       string // after one that was wrong
}

// RenderMessage writes the message as an HTML document.
func RenderMessage(w io.Writer, m Message) error {
	own := newDocument(nil, true)
	own.Refresh = m.Again
	err := pageTemplate.ExecuteTemplate(w, "message", struct {
		Message
		document
		Live bool
	}{m, own, true})
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// LivePolicy, ListPolicy and MessagePolicy are the content security policies of pages that are
// served, of lists and of messages, for the header of the answer.
func LivePolicy() string    { return policy(liveScripts, true) }
func ListPolicy() string    { return policy(listScripts, true) }
func MessagePolicy() string { return policy(nil, true) }
