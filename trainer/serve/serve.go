// Package serve shows the runs below a directory, or one run, as live pages over HTTP.
//
// The pages are those of package page, with what is new sent to them as server-sent events: a
// Server looks for changes while somebody watches, and each stream computes from what its reader
// has, which is in the id of every event, what that reader lacks. So nothing is buffered for slow
// readers, and a reader who comes back, even to a server that has started anew, goes on where the
// connection was lost.
//
// Nothing changes a run but a POST of its name with the server's token: it asks the process that
// trains the run to save a checkpoint and end. README.md tells what protects the pages.
package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/suggest"
)

// Options say what a Server shows, and to whom.
type Options struct {
	// Root is the directory whose runs are shown, with those in the directories below it. With One,
	// it is the directory of the only run, which need not have begun.
	Root string
	One  bool

	// Token is what stopping a run needs and, with Private, every request. "": a random one.
	Token string
	// Private refuses requests without the token. Otherwise, requests must name this machine by one
	// of its loopback names, so that no other site can pass for the server; it must then listen on
	// a loopback address alone.
	Private bool
	// Port makes the name of the cookie that keeps the token, since the servers of a machine share
	// their cookies.
	Port int

	// Measure says how runs that have ended are measured once somebody looks at them: page.Quick,
	// page.None or page.Written. Runs in progress are measured as page.None at most.
	Measure page.Measure
	Data    string // path of the runs' data; "": where they were
	Raw     bool   // use the weights themselves, not their moving average
	Threads int    // workers for what is drawn of models; 0: all cores

	// Stop asks the only run to save a checkpoint and end, and returns at once. Nil: runs are
	// stopped by SIGTERM to the process that has the run's lock, where it can be known for sure.
	Stop func() error

	Warn func(string) // is called with what the user should know; may be nil
}

// Measures lists those that a Server takes: the others would store what they have learnt in runs.
var Measures = []page.Measure{page.Quick, page.None, page.Written}

// fewestLetters of a token that a user chooses.
const fewestLetters = 16

// Validate reports options that cannot be served.
func (o Options) Validate() error {
	names := config.Names(Measures)
	if o.Measure != "" && !slices.Contains(Measures, o.Measure) {
		return fmt.Errorf("measure is %q; expected one of %v%s", o.Measure, names,
			suggest.DidYouMean(string(o.Measure), names))
	}
	if n := len(o.Token); n > 0 && n < fewestLetters {
		return fmt.Errorf("the token has %d characters; expected at least %d that nobody can "+
			"guess, or none for a random one", n, fewestLetters)
	}
	if !cookieValue.MatchString(o.Token) {
		return errors.New("the token: expected letters, digits and -._~ alone, as in a URL")
	}
	if o.Threads < 0 {
		return fmt.Errorf("threads is %d; expected 0 or more", o.Threads)
	}
	return nil
}

// Server is an http.Handler.
type Server struct {
	Options
	http.Handler
	root   string // without symbolic links
	opened *os.Root
	runs   *catalogue
	models *models

	beat time.Duration   // between signs of life
	last time.Duration   // that streams have to send the last news
	ctx  context.Context // of all that runs in the background
	end  context.CancelFunc
	done chan struct{} // closed when streams must end
	wait sync.WaitGroup

	mu       sync.Mutex
	views    map[string]*view
	streams  int
	stopping map[string]string // runs that were asked to stop: name to process
	closed   bool
}

// New returns a server, which Close ends.
func New(o Options) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Token == "" {
		o.Token = rand.Text()
	}
	if o.Measure == "" {
		o.Measure = page.Quick
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	root, err := filepath.Abs(o.Root)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	opened, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("serve: expected a directory of runs: %w", err)
	}
	s := &Server{
		Options: o, root: root, opened: opened, done: make(chan struct{}),
		beat: beat, last: drainTime, views: map[string]*view{}, stopping: map[string]string{},
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.runs = newCatalogue(root, o.One)
	s.models = newModels(s)
	s.Handler = s.guard(s.routes())
	return s, nil
}

// Close ends all streams, after what is new by then, and all that runs in the background.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	s.mu.Unlock()
	s.drain()
	s.end()
	s.wait.Wait()
	return s.opened.Close()
}

// drainTime is how long streams have to send the last news.
const drainTime = 500 * time.Millisecond

// drain waits until no stream is left, for a while.
func (s *Server) drain() {
	for end := time.Now().Add(s.last); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		left := s.streams
		s.mu.Unlock()
		if left == 0 {
			return
		}
	}
}

// background runs f until the server is closed, unless that has happened.
func (s *Server) background(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.wait.Go(f)
	}
}

// routes are the pages. Their URLs are relative to each other, so that a proxy may serve them under
// another path.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	if s.One {
		mux.HandleFunc("GET /{$}", s.servePage)
		mux.HandleFunc("GET /events", s.serveUpdates)
	} else {
		mux.HandleFunc("GET /{$}", s.serveList)
		mux.HandleFunc("GET /events", s.serveListUpdates)
		mux.HandleFunc("GET /run", s.servePage)
		mux.HandleFunc("GET /run/events", s.serveUpdates)
	}
	mux.HandleFunc("GET /picture", s.servePicture)
	mux.HandleFunc("POST /stop", s.serveStop)
	return mux
}
