package serve

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/plume-ml/plume/trainer/run"
)

// A run is stopped once, and only with the token, from the same site.
func TestStop(t *testing.T) {
	dir := copyRun(t, t.TempDir(), "a")
	lock, err := run.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	var stopped atomic.Int32
	_, at := served(t, Options{Root: dir, One: true, Token: token, Stop: func() error {
		stopped.Add(1)
		return nil
	}})
	if page := ask(t, "GET", at).body; !strings.Contains(page, `data-stops="."`) {
		t.Error("the page has no button")
	}
	form := url.Values{"run": {"."}}
	bearer := "Bearer " + token
	for _, with := range [][]string{
		nil, {"Authorization", "Bearer x" + token}, {"Cookie", "plume-0=" + token},
		{"Authorization", bearer, "Sec-Fetch-Site", "cross-site"},
		{"Authorization", bearer, "Sec-Fetch-Site", "same-site"},
		{"Authorization", bearer, "Origin", "http://evil.example"},
		{"Authorization", bearer, "Host", "evil.example"},
	} {
		if a := post(t, at+"/stop", form, with...); a.status != http.StatusForbidden {
			t.Errorf("%q: status %d, %s", with, a.status, a.body)
		}
	}
	if a := ask(t, "GET", at+"/stop?run=.", "Authorization", bearer); a.status == 200 {
		t.Errorf("GET: status %d", a.status)
	}
	a := post(t, at+"/stop", url.Values{"run": {"../a"}}, "Authorization", bearer)
	if a.status != 404 {
		t.Errorf("another run: status %d", a.status)
	}
	if n := stopped.Load(); n != 0 {
		t.Fatalf("it was stopped %d times without the right to", n)
	}
	for range 3 {
		a := post(t, at+"/stop", form, "Authorization", bearer, "Sec-Fetch-Site", "same-origin")
		if a.status != 200 {
			t.Errorf("status %d: %s", a.status, a.body)
		}
	}
	if n := stopped.Load(); n != 1 {
		t.Errorf("it was stopped %d times", n)
	}
	r := listen(t, at+"/events")
	expectPart(t, r, "It cannot be stopped from this page: "+asked)
}

// Without a process there is no button, and nothing to stop.
func TestStopNothing(t *testing.T) {
	root := t.TempDir()
	copyRun(t, root, "a")
	_, at := served(t, Options{Root: root, Token: token})
	if page := ask(t, "GET", at+"/run?run=a").body; strings.Contains(page, "data-stops=") ||
		strings.Contains(page, "It cannot be stopped") {
		t.Error("the page of a finished run speaks of stopping")
	}
	a := post(t, at+"/stop", url.Values{"run": {"a"}}, "Authorization", "Bearer "+token)
	if a.status != http.StatusConflict || !strings.Contains(a.body, "no process is training it") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

// What goes wrong is told.
func TestStopFails(t *testing.T) {
	dir := copyRun(t, t.TempDir(), "a")
	_, at := served(t, Options{Root: dir, One: true, Token: token, Stop: func() error {
		return errors.New("it has come to its end")
	}})
	a := post(t, at+"/stop", url.Values{"run": {"."}}, "Authorization", "Bearer "+token)
	if a.status != http.StatusConflict || !strings.Contains(a.body, "it has come to its end") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}
