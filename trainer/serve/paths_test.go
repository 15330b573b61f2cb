package serve

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Nothing outside of the root is served, whatever a URL or a symbolic link says.
func TestOutside(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	copyRun(t, root, "a")
	secret := copyRun(t, outside, "secret")
	linked := copyRun(t, root, "linked")
	for path, to := range map[string]string{
		filepath.Join(root, "whole"): secret,
		filepath.Join(root, "a", "samples", "step-999999.png"): filepath.Join(secret, "samples",
			"step-000102.png"),
	} {
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	notes := filepath.Join(linked, "notes.json")
	write(t, filepath.Join(outside, "notes.json"), `{"note": "SECRET"}`)
	if err := os.Symlink(filepath.Join(outside, "notes.json"), notes); err != nil {
		t.Fatal(err)
	}
	_, at := served(t, Options{Root: root})
	if a := ask(t, "GET", at+"/picture?run=a&name=step-000102.png"); a.status != 200 ||
		a.header.Get("Content-Type") != "image/png" || !strings.HasPrefix(a.body, "\x89PNG") {
		t.Errorf("a picture of the run: status %d", a.status)
	}
	for _, path := range []string{
		"/picture?run=a&name=step-999999.png", "/picture?run=a&name=..%2Frun.json",
		"/picture?run=a&name=..%2F..%2Flinked%2Fsamples%2Fstep-000102.png",
		"/picture?run=a&name=", "/picture?run=&name=step-000102.png",
		"/picture?run=..&name=step-000102.png", "/picture?run=" + url.QueryEscape(secret) +
			"&name=step-000102.png", "/picture?run=.%2Fa&name=step-000102.png",
		"/picture?run=whole&name=step-000102.png",
		"/run?run=whole", "/run?run=" + url.QueryEscape("../"+filepath.Base(outside)+"/secret"),
		"/run?run=" + url.QueryEscape(secret), "/run?run=a/../a", "/run", "/run?run=linked",
		"/run/events?run=whole", "/../../etc/passwd", "/assets/page.css",
	} {
		if a := ask(t, "GET", at+path); a.status == 200 || strings.Contains(a.body, "SECRET") {
			t.Errorf("%s: status %d", path, a.status)
		}
	}
	list := ask(t, "GET", at).body
	if strings.Contains(list, "SECRET") || strings.Contains(list, `data-key="whole"`) ||
		!strings.Contains(list, "is a symbolic link that leads out of") {
		t.Errorf("the list: %s", list)
	}
}

// Broken runs are listed with what is wrong, and do not hide the others.
func TestBroken(t *testing.T) {
	root := t.TempDir()
	copyRun(t, root, "good")
	for name, broken := range map[string]string{
		"config": "config.toml", "info": "run.json", "records": "metrics.jsonl",
		"notes": "notes.json",
	} {
		write(t, filepath.Join(copyRun(t, root, name), broken), "{\"x\": [\n{\n")
	}
	_, at := served(t, Options{Root: root})
	list := ask(t, "GET", at).body
	for _, name := range []string{"config", "info", "records", "notes"} {
		if !strings.Contains(list, `data-key="`+name+`"`) {
			t.Errorf("%s is not listed", name)
		}
		if a := ask(t, "GET", at+"/run?run="+name); a.status != 404 ||
			!strings.Contains(a.body, "cannot be shown") {
			t.Errorf("%s: status %d", name, a.status)
		}
	}
	if n := strings.Count(list, `class="problem"`); n != 4 {
		t.Errorf("%d problems are listed", n)
	}
	if a := ask(t, "GET", at+"/run?run=good"); a.status != 200 {
		t.Errorf("the good run: status %d", a.status)
	}
	if a := ask(t, "GET", at+"/run?run=good&run=good&run=info"); a.status != 404 {
		t.Errorf("a good and a broken run: status %d", a.status)
	}
}
