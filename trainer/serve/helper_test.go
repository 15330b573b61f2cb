package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/run"
)

// holdVariable names the run whose lock a process of stop_linux_test.go is to hold.
const holdVariable = "TEST_HOLD_LOCK"

// trained is a run that all tests copy.
var trained string

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		os.Exit(holdLock(dir))
	}
	flag.Parse()
	dir, err := os.MkdirTemp("", "plume-serve-")
	if err == nil {
		trained = filepath.Join(dir, "run")
		err = train(trained)
	}
	code := 1
	if err == nil {
		code = m.Run()
	}
	if code == 0 {
		http.DefaultClient.CloseIdleConnections()
		err = goleak.Find()
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func train(dir string) error {
	c := method.Default()
	c.Data, c.Epochs, c.Latent, c.DecoderWidths, c.Threads = "digits", 6, 8, []int{32}, 1
	c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 32, 1, 8
	c.Batch, c.Solver, c.SolverSteps, c.EvalSamples, c.EvalEvery = 100, "ddim", 5, 100, 2
	if err := run.Create(dir); err != nil {
		return err
	}
	made, err := trainer.New(context.Background(), c, dir)
	if err != nil {
		return err
	}
	return errors.Join(made.Run(context.Background()), made.Close())
}

// holdLock is a process that holds a run's lock until SIGTERM, whose exit code it returns.
func holdLock(dir string) int {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGTERM)
	lock, err := run.Acquire(dir)
	fmt.Println("held", err)
	<-heard
	if lock.Release() != nil {
		return 1
	}
	return 128 + int(syscall.SIGTERM)
}

// copyRun puts a copy of the trained run in root.
func copyRun(t *testing.T, root, name string) (dir string) {
	t.Helper()
	dir, beside := filepath.Join(root, name), filepath.Join(root, ".copied") // which is not served
	err := os.CopyFS(beside, os.DirFS(trained))
	err = errors.Join(err, os.MkdirAll(filepath.Dir(dir), 0o777), os.Rename(beside, dir))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// metrics are the lines of the run's records.
func metrics(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n")+"\n", "\n")
}

// setMetrics writes the first n records of the trained run.
func setMetrics(t *testing.T, dir string, n int) {
	t.Helper()
	text := strings.Join(metrics(t, trained)[:n], "")
	write(t, filepath.Join(dir, "metrics.jsonl"), text)
}

// write writes a file so that nobody sees a part of it.
func write(t *testing.T, path, text string) {
	t.Helper()
	beside := path + ".part"
	err := errors.Join(os.WriteFile(beside, []byte(text), 0o666), os.Rename(beside, path))
	if err != nil {
		t.Fatal(err)
	}
}

// served is a server of a root, and where it is.
func served(t *testing.T, o Options) (s *Server, at string) {
	t.Helper()
	if o.Measure == "" {
		o.Measure = page.Written
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.last = time.Minute // no test depends on how long something takes
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	return s, web.URL
}

// answer is what a server has answered.
type answer struct {
	status int
	body   string
	header http.Header
}

// ask sends a request without a body, with headers given in pairs.
func ask(t *testing.T, method, at string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, r, headers...)
}

// post sends a form.
func post(t *testing.T, at string, form url.Values, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", at, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, r, headers...)
}

func send(t *testing.T, r *http.Request, headers ...string) answer {
	t.Helper()
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r) // which follows nothing
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(body), response.Header}
}

// event is one that a stream has sent.
type event struct{ name, id, data string }

// reader reads a stream.
type reader struct {
	t      *testing.T
	body   io.Closer
	lines  *bufio.Reader
	header http.Header
}

// listen opens a stream.
func listen(t *testing.T, at string, headers ...string) *reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", at, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != 200 {
		t.Fatalf("%s: %s", at, response.Status)
	}
	return &reader{t, response.Body, bufio.NewReader(response.Body), response.Header}
}

// next returns the next event that is no sign of life; the zero one at the end.
func (r *reader) next() (e event) {
	r.t.Helper()
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			return event{}
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name != "" && e.name != "beat" {
				return e
			}
			e = event{}
		}
	}
}

// update returns the next update.
func update[T any](r *reader) (u T, id string) {
	r.t.Helper()
	e := r.next()
	if e.name != "update" {
		r.t.Fatalf("expected an update, got %+v", e)
	}
	if err := json.Unmarshal([]byte(e.data), &u); err != nil {
		r.t.Fatal(err)
	}
	return u, e.id
}
