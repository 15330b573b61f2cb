package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plume-ml/plume/trainer/monitor"
)

// profileCommand is profile FILE TYPE [FUNCTION]: it expects a whole profile with samples of that
// type, and in it something of that function's.
func profileCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: profile FILE TYPE [FUNCTION]")
	}
	file, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	p, err := profile.Parse(file)
	ts.Check(err)
	column := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool {
		return t.Type == args[1]
	})
	if column < 0 {
		ts.Fatalf("%s has no samples of %s", args[0], args[1])
	}
	if len(args) == 3 && valueOf(p, column, args[2]) == 0 {
		ts.Fatalf("%s has nothing of %s", args[0], args[2])
	}
}

// valueOf adds up the samples of a function, which may end its full name.
func valueOf(p *profile.Profile, column int, function string) (total int64) {
	for _, sample := range p.Sample {
		for _, location := range sample.Location {
			of := func(l profile.Line) bool { return strings.HasSuffix(l.Function.Name, function) }
			if slices.ContainsFunc(location.Line, of) {
				total += sample.Value[column]
				break
			}
		}
	}
	return total
}

// startServer serves profiles and returns their URL by what was told, and all that was.
func startServer(t *testing.T, address string) (s *server, url, told string) {
	t.Helper()
	var lines []string
	s, err := listen(address, new(monitor.Monitor), func(line string) {
		lines = append(lines, line)
	})
	if err != nil {
		t.Fatal(err)
	}
	told = strings.Join(lines, "\n")
	_, url, found := strings.Cut(lines[len(lines)-1], "Listening: ")
	root, _, more := strings.Cut(url, "/metrics, /healthz and /debug/pprof/")
	if !found || !more {
		t.Fatalf("no URL in %q", lines)
	}
	return s, root + profileRoot, told
}

// A port that is taken is said to be.
func TestListenTaken(t *testing.T) {
	s, url, _ := startServer(t, ":0")
	address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), profileRoot)
	_, err := listen(address, new(monitor.Monitor), func(string) {})
	if err == nil || !strings.Contains(err.Error(), "another process listens there; choose") {
		t.Errorf("error %v", err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func TestListenAddresses(t *testing.T) {
	for _, c := range []struct {
		address, url string // the URL's beginning
		warned       bool
	}{
		{":0", "http://127.0.0.1:", false},
		{"127.0.0.1:0", "http://127.0.0.1:", false},
		{"localhost:0", "http://", false},
		{"0.0.0.0:0", "http://", true},
	} {
		s, url, told := startServer(t, c.address)
		if !strings.HasPrefix(url, c.url) || strings.Contains(url, ":0/") {
			t.Errorf("%s: the URL is %s", c.address, url)
		}
		if warned := strings.Contains(told, "WARNING: anybody who can reach"); warned != c.warned {
			t.Errorf("%s: warned %v, expected %v: %q", c.address, warned, c.warned, told)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}

func get(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func init() { http.HandleFunc("/of-others", func(http.ResponseWriter, *http.Request) {}) }

func TestServerPages(t *testing.T) {
	s, url, _ := startServer(t, ":0")
	root := strings.TrimSuffix(url, profileRoot)
	for _, c := range []struct {
		method, url string
		status      int
		contains    string
	}{
		{"GET", url, 200, "goroutine"},
		{"GET", root + "/", 200, "/metrics\n/healthz\n/debug/pprof/\n"},
		{"GET", root + "/metrics", 200, "go_goroutines "},
		{"GET", root + "/healthz", 200, "ok\n"},
		{"POST", root + "/metrics", 405, ""},
		{"GET", url + "goroutine?debug=1", 200, "TestServerPages"},
		{"GET", url + "cmdline", 200, os.Args[0]},
		{"GET", url + "symbol", 200, "num_symbols"},
		{"POST", url + "symbol", 200, "num_symbols"},
		{"GET", url + "none", 404, ""},
		{"GET", root + "/of-others", 404, ""},
		{"POST", url + "profile", 405, ""},
	} {
		status, body := get(t, c.method, c.url)
		if status != c.status || !strings.Contains(body, c.contains) {
			t.Errorf("%s %s: status %d, expected %d with %q in %.300q",
				c.method, c.url, status, c.status, c.contains, body)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// A client in the middle of a profile does not hold up the end of a run.
func TestServerClosesAtOnce(t *testing.T) {
	s, url, _ := startServer(t, ":0")
	ended := make(chan error, 1)
	go func() {
		response, err := http.Get(url + "profile?seconds=3600")
		if err == nil {
			_, err = io.ReadAll(response.Body)
			response.Body.Close()
		}
		ended <- err
	}()
	var dump bytes.Buffer
	for !bytes.Contains(dump.Bytes(), []byte("net/http/pprof.Profile")) {
		dump.Reset()
		if err := pprof.Lookup("goroutine").WriteTo(&dump, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the client was told that its profile is whole")
	}
}
