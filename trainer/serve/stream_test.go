package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plume-ml/plume/trainer/page"
)

// New records come as they are written, each once and in order, and after a reconnection those that
// were missed, even from a server that has started anew.
func TestRecords(t *testing.T) {
	root := t.TempDir()
	dir := copyRun(t, root, "a")
	setMetrics(t, dir, 2)
	s, at := served(t, Options{Root: root})
	first := listen(t, at+"/run/events?run=a")
	if kind := first.header.Get("Content-Type"); kind != "text/event-stream; charset=utf-8" {
		t.Errorf("the type is %q", kind)
	}
	u, id := update[page.Update](first)
	checkPiece(t, u, 0, 1, 2)
	if len(u.Parts) == 0 || len(u.Charts) == 0 || id == "" || u.State != id {
		t.Errorf("the first update: %+v", u)
	}
	setMetrics(t, dir, 3)
	u, second := update[page.Update](first)
	checkPiece(t, u, 2, 3)
	setMetrics(t, dir, 5)
	u, third := update[page.Update](first)
	checkPiece(t, u, 3, 4, 5)
	first.body.Close()

	again := listen(t, at+"/run/events?run=a", "Last-Event-ID", second)
	u, _ = update[page.Update](again)
	checkPiece(t, u, 3, 4, 5)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	setMetrics(t, dir, 6)
	_, at = served(t, Options{Root: root})
	anew := listen(t, at+"/run/events?run=a&at="+url.QueryEscape(third))
	u, _ = update[page.Update](anew)
	checkPiece(t, u, 5, 6)
	for _, part := range u.Parts {
		if strings.Contains(string(part), `id="configuration"`) {
			t.Error("the configuration comes again, although nothing has changed in it")
		}
	}

	// A run that has gone another way since comes whole.
	lines := metrics(t, trained)
	other := strings.Replace(lines[1], `"seconds":`, `"seconds":7`, 1)
	write(t, filepath.Join(dir, "metrics.jsonl"), lines[0]+other)
	u, _ = update[page.Update](anew)
	checkPiece(t, u, 0, 1, 2)
	// So it does to who has a state that nobody can have.
	for _, state := range []string{"x", "records=9.x", "records=-1.", "%", "records=2."} {
		u, _ = update[page.Update](listen(t, at+"/run/events?run=a&at="+url.QueryEscape(state)))
		checkPiece(t, u, 0, 1, 2)
	}
}

// checkPiece expects records of these epochs, after so many that the reader has.
func checkPiece(t *testing.T, u page.Update, from int, epochs ...float64) {
	t.Helper()
	if len(u.Curves) != 1 || u.Curves[0].From != from ||
		fmt.Sprint(u.Curves[0].X["epoch"]) != fmt.Sprint(epochs) {
		t.Fatalf("%+v; expected epochs %v after %d", u.Curves, epochs, from)
	}
}

// New pictures, notes and the end of a run come as well.
func TestParts(t *testing.T) {
	root := t.TempDir()
	dir := copyRun(t, root, "a")
	_, at := served(t, Options{Root: root})
	r := listen(t, at+"/run/events?run=a")
	update[page.Update](r)
	picture, err := os.ReadFile(filepath.Join(dir, "samples", "step-000102.png"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "samples", "step-000777.png"), string(picture))
	expectPart(t, r, `data-step="777"`)
	write(t, filepath.Join(dir, "notes.json"), `{"tags": ["good"], "note": "<b>wide</b>"}`)
	expectPart(t, r, "&lt;b&gt;wide")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for {
		switch e := r.next(); {
		case e.name == "problem" && strings.Contains(e.data, "the run is gone"):
			return
		case e.name == "":
			t.Fatal("nothing says that the run is gone")
		}
	}
}

// expectPart reads updates until one has a part with the text.
func expectPart(t *testing.T, r *reader, text string) {
	t.Helper()
	for range 10 {
		u, _ := update[page.Update](r)
		for _, part := range u.Parts {
			if strings.Contains(string(part), text) {
				return
			}
		}
	}
	t.Errorf("no part has %q", text)
}

// The list tells of new, changed and removed runs, each once.
func TestListUpdates(t *testing.T) {
	root := t.TempDir()
	copyRun(t, root, "a")
	s, at := served(t, Options{Root: root})
	r := listen(t, at+"/events")
	u, _ := update[page.ListUpdate](r)
	for !u.All || len(u.Rows) != 1 { // the first look may end later
		more, _ := update[page.ListUpdate](r)
		u.Rows = append(u.Rows, more.Rows...)
	}
	copyRun(t, root, "sub/b")
	u, id := update[page.ListUpdate](r)
	if u.All || len(u.Rows) != 1 || u.Rows[0].Name != "sub/b" {
		t.Errorf("a new run: %+v", u)
	}
	write(t, filepath.Join(root, "a", "notes.json"), `{"tags": ["good"]}`)
	u, _ = update[page.ListUpdate](r)
	if len(u.Rows) != 1 || u.Rows[0].Name != "a" ||
		!strings.Contains(string(u.Rows[0].HTML), "good") {
		t.Errorf("a tag: %+v", u)
	}
	// At once: a run that has lost some of its files for a moment is rightly told of as unreadable.
	if err := os.Rename(filepath.Join(root, "sub"), filepath.Join(t.TempDir(), "sub")); err != nil {
		t.Fatal(err)
	}
	u, _ = update[page.ListUpdate](r)
	if len(u.Rows) != 0 || len(u.Removed) != 1 || u.Removed[0] != "sub/b" {
		t.Errorf("a removed run: %+v", u)
	}
	u, _ = update[page.ListUpdate](listen(t, at+"/events", "Last-Event-ID", id))
	if u.All || len(u.Rows) != 1 || u.Rows[0].Name != "a" || len(u.Removed) != 1 {
		t.Errorf("after a reconnection: %+v", u)
	}
	for _, state := range []string{"", "1.1", "x", s.listState(-5)} {
		u, _ = update[page.ListUpdate](listen(t, at+"/events?at="+url.QueryEscape(state)))
		if !u.All || len(u.Rows) != 1 {
			t.Errorf("from state %q: %+v", state, u)
		}
	}
}

// Streams end with the last news when the server ends, and none begins afterwards.
func TestEnd(t *testing.T) {
	root := t.TempDir()
	dir := copyRun(t, root, "a")
	setMetrics(t, dir, 2)
	s, at := served(t, Options{Root: root})
	pages, list := listen(t, at+"/run/events?run=a"), listen(t, at+"/events")
	update[page.Update](pages)
	setMetrics(t, dir, 6)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	last, e := 0, pages.next()
	for ; e.name == "update"; e = pages.next() {
		last = strings.Count(e.data, "6")
	}
	if e.name != "end" || last == 0 {
		t.Errorf("the page ends with %+v", e)
	}
	for e = list.next(); e.name == "update"; e = list.next() {
	}
	if e.name != "end" {
		t.Errorf("the list ends with %+v", e)
	}
	if a := ask(t, "GET", at+"/events"); a.status != http.StatusServiceUnavailable {
		t.Errorf("a stream of a server that has ended: status %d", a.status)
	}
}

// No more streams than so many are open at a time.
func TestMostStreams(t *testing.T) {
	s, at := served(t, Options{Root: t.TempDir()})
	s.mu.Lock()
	s.streams = mostStreams
	s.mu.Unlock()
	a := ask(t, "GET", at+"/events")
	s.mu.Lock()
	s.streams = 0
	s.mu.Unlock()
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d", a.status)
	}
}

// blocked is a connection whose reader reads nothing.
type blocked struct {
	http.ResponseWriter
	conn net.Conn
}

func (b blocked) Write(text []byte) (int, error)      { return b.conn.Write(text) }
func (b blocked) SetWriteDeadline(at time.Time) error { return b.conn.SetWriteDeadline(at) }
func (b blocked) FlushError() error                   { return nil }

// A reader who does not read is dropped, after a time, and one who has nothing to hear gets signs
// of life.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine, theirs := net.Pipe()
		defer theirs.Close()
		e := &events{control: http.NewResponseController(blocked{conn: mine})}
		e.w, e.beat = blocked{conn: mine}, beat
		start := time.Now()
		if err := e.send("update", "1", "x"); err == nil || time.Since(start) != slowest {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		mine, theirs := net.Pipe()
		defer theirs.Close()
		e := &events{control: http.NewResponseController(blocked{conn: mine})}
		e.w, e.beat = blocked{conn: mine}, beat
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- e.wait(ctx, nil) }()
		text := make([]byte, 100)
		n, err := theirs.Read(text)
		if err != nil || string(text[:n]) != "event: beat\ndata: 1\n\n" {
			t.Errorf("%q, %v", text[:n], err)
		}
		cancel()
		<-ended
	})
}

// A run that is removed after it was found is no run that cannot be read.
func TestRemovedWhileLooking(t *testing.T) {
	root := t.TempDir()
	c := newCatalogue(root, false)
	if c.update("gone", filepath.Join(root, "gone")) || len(c.entries) != 0 {
		t.Errorf("%d runs, of none", len(c.entries))
	}
	if err := os.Mkdir(filepath.Join(root, "broken"), 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "broken", "config.toml"), "latent = ")
	if !c.update("broken", filepath.Join(root, "broken")) || len(c.entries) != 1 {
		t.Errorf("%d runs, of one that cannot be read", len(c.entries))
	}
}
