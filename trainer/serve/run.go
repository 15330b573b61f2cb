package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/run"
)

// names are the runs that a request is about; an error is to be shown to its reader.
func (s *Server) names(r *http.Request) ([]string, error) {
	if s.One {
		return []string{"."}, nil
	}
	var names []string
	for _, name := range r.URL.Query()["run"] {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if n := len(names); n < 1 || n > page.MostRuns {
		return nil, fmt.Errorf("%d runs are chosen: choose 1 to %d of the list", n, page.MostRuns)
	}
	for _, name := range names {
		e, ok := s.runs.find(r.Context(), name)
		if !ok {
			return nil, fmt.Errorf("there is no run %q here", name)
		}
		if e.Problem != "" {
			return nil, fmt.Errorf("%s cannot be shown: %s", name, e.Problem)
		}
	}
	return names, nil
}

// first waits for the first snapshot of a view.
func (v *view) first(ctx context.Context) (*page.Snapshot, error) {
	for {
		now, changed, err := v.get()
		if now != nil || err != nil {
			return now, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-v.server.done:
			return nil, errEnd
		}
	}
}

// servePage answers with the page of the runs that are asked for.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	names, err := s.names(r)
	if err != nil {
		s.notFound(w, err)
		return
	}
	v, err := s.open(names)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer v.release()
	now, err := v.first(r.Context())
	if now == nil {
		s.notYet(w, names, err)
		return
	}
	live := page.Live{Stop: "stop", Token: s.Token, Events: "events"}
	if !s.One {
		live.Home, live.Events = "./", "run/events?"+url.Values{"run": names}.Encode()
	}
	var html bytes.Buffer
	if err := now.Render(&html, live); err != nil {
		s.fail(w, err)
		return
	}
	html200(w, html.Bytes(), page.LivePolicy())
}

// notYet answers for runs that cannot be read now: they may have only just begun.
func (s *Server) notYet(w http.ResponseWriter, names []string, err error) {
	m := page.Message{
		Title: "Nothing to show yet", Text: err.Error(), Again: true, Home: s.home(),
	}
	if s.One && (errors.Is(err, errGone) || errors.Is(err, fs.ErrNotExist)) {
		m.Text = "The run has not begun: it reads its data. " +
			"This page looks again every few seconds."
	}
	s.message(w, http.StatusServiceUnavailable, m)
}

// home is the URL of the list; "" if there is none.
func (s *Server) home() string {
	if s.One {
		return ""
	}
	return "./"
}

func (s *Server) notFound(w http.ResponseWriter, err error) {
	s.message(w, http.StatusNotFound, page.Message{
		Title: "No such page", Text: err.Error(), Home: s.home(),
	})
}

// fail answers for what should not happen.
func (s *Server) fail(w http.ResponseWriter, err error) {
	s.message(w, http.StatusInternalServerError, page.Message{
		Title: "This does not work", Text: err.Error(), Home: s.home(),
	})
}

// html200 answers with a page.
func html200(w http.ResponseWriter, html []byte, policy string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy+"; frame-ancestors 'none'")
	_, _ = w.Write(html) // a client that has gone misses nothing
}

// serveUpdates streams what is new on the page of runs.
func (s *Server) serveUpdates(w http.ResponseWriter, r *http.Request) {
	names, err := s.names(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	v, err := s.open(names)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer v.release()
	s.stream(w, r, func(ctx context.Context, e *events) error {
		for {
			changed, err := e.sendView(v)
			if err != nil {
				return err
			}
			if err = e.wait(ctx, changed); errors.Is(err, errEnd) {
				_ = e.sendLast(ctx, v)
			}
			if err != nil {
				return err
			}
		}
	})
}

// sendView sends what the reader lacks of a view, or why there is nothing newer.
func (e *events) sendView(v *view) (changed <-chan struct{}, err error) {
	now, changed, problem := v.get()
	if now != nil {
		if u, any := now.Since(e.state); any {
			if err := e.send("update", u.State, u); err != nil {
				return nil, err
			}
			e.state = u.State
		}
	}
	text := ""
	if problem != nil {
		text = problem.Error()
	}
	if text == e.problem {
		return changed, nil
	}
	e.problem = text
	return changed, e.send("problem", "", text)
}

// sendLast sends what is new when the server ends.
func (e *events) sendLast(ctx context.Context, v *view) error {
	ctx, cancel := context.WithTimeout(ctx, v.server.last*9/10)
	defer cancel()
	for range 2 { // a look may have begun before what is new
		looked := v.lookAgain()
		select {
		case <-looked:
		case <-ctx.Done():
		}
	}
	_, err := e.sendView(v)
	return err
}

// lookAgain wakes the view, and returns what is closed after its next look.
func (v *view) lookAgain() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case v.kick <- struct{}{}:
	default:
	}
	return v.looked
}

// pictureName is the name of a picture that a run writes.
var pictureName = regexp.MustCompile(`^[a-z]+-\d+\.png$`)

// servePicture answers with a picture that a run has written. It is opened below the root, out of
// which no symbolic link can lead.
func (s *Server) servePicture(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name := query.Get("name")
	e, ok := s.runs.find(r.Context(), query.Get("run"))
	if !ok || !pictureName.MatchString(name) {
		http.Error(w, "no such picture", http.StatusNotFound)
		return
	}
	file, err := s.opened.Open(run.PicturePath(filepath.FromSlash(e.Name), name))
	if err != nil {
		http.Error(w, "no such picture", http.StatusNotFound)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.Error(w, "no such picture", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	if query.Has("at") { // a picture that is drawn again has another time
		w.Header().Set("Cache-Control", "private, max-age=86400, immutable")
	}
	http.ServeContent(w, r, "", info.ModTime(), file)
}
