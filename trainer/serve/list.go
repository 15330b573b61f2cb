package serve

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/run"
)

func newestFirst(a, b page.Row) int {
	return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.Name, b.Name))
}

// patience is how long a list waits for the runs to be read before it shows those that are known:
// the others follow.
const patience = 700 * time.Millisecond

// serveList answers with the list of all runs.
func (s *Server) serveList(w http.ResponseWriter, r *http.Request) {
	looked := make(chan struct{})
	s.background(func() {
		defer close(looked)
		s.runs.look(s.ctx)
	})
	select {
	case <-looked:
	case <-time.After(patience):
	case <-r.Context().Done():
		return
	case <-s.done:
	}
	rows, version, err := s.runs.rows()
	list := &page.List{
		Title: fmt.Sprintf("Runs in “%s”", s.Root), Version: run.Version(), Rows: rows,
		Empty: "There are no runs here yet. plume train starts one.",
		Live: &page.Live{
			Events: "events", Stop: "stop", Token: s.Token, State: s.listState(version),
		},
	}
	if err != nil {
		list.Empty = err.Error()
	}
	var html bytes.Buffer
	if err := page.RenderList(&html, list); err != nil {
		s.fail(w, err)
		return
	}
	html200(w, html.Bytes(), page.ListPolicy())
}

// listState is the id of an event of the list: versions are those of one server.
func (s *Server) listState(version int) string {
	return fmt.Sprintf("%d.%d", s.runs.began(), version)
}

// began tells catalogues apart.
func (c *catalogue) began() int64 { return c.birth.UnixNano() }

// versionOf reads the version in an id; -1 of another server's.
func (s *Server) versionOf(state string) int {
	birth, version, _ := strings.Cut(state, ".")
	n, err := strconv.Atoi(version)
	if err != nil || n < 0 || birth != fmt.Sprint(s.runs.began()) {
		return -1
	}
	return n
}

// serveListUpdates streams what is new in the list.
func (s *Server) serveListUpdates(w http.ResponseWriter, r *http.Request) {
	s.stream(w, r, func(ctx context.Context, e *events) error {
		s.background(func() { s.followRuns(ctx) })
		version := s.versionOf(e.state)
		for {
			u, now, changed := s.runs.since(version)
			if version < 0 || len(u.Rows)+len(u.Removed) > 0 {
				if err := e.send("update", s.listState(now), u); err != nil {
					return err
				}
			}
			version = now
			if err := e.wait(ctx, changed); err != nil {
				return err
			}
		}
	})
}

// followRuns looks for changes until ctx ends. However many readers there are, the files are looked
// at as often as for one.
func (s *Server) followRuns(ctx context.Context) {
	for {
		wait := s.runs.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-s.ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// pageURL is the URL of the page of runs, relative to the list.
func pageURL(names []string) string {
	return "run?" + url.Values{"run": names}.Encode()
}
