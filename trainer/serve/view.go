package serve

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/run"
)

// linger is how long a view is kept up to date after its last reader has left: the stream of a page
// begins a moment after the page.
const linger = 10 * time.Second

// view is the page of some runs, kept up to date while somebody looks at it.
type view struct {
	server  *Server
	names   []string
	readers int // guarded by the server's mu
	end     context.CancelFunc
	kick    chan struct{} // wakes the view before its time

	mu      sync.Mutex
	now     *page.Snapshot // nil: there is none yet
	err     error          // why there is no newer one; nil
	changed chan struct{}  // closed and replaced at every change
	looked  chan struct{}  // and at every look
}

// open returns the view of the runs with these names, to be released.
func (s *Server) open(names []string) (*view, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errEnd
	}
	key := strings.Join(names, "\n")
	v := s.views[key]
	if v == nil {
		v = &view{
			server: s, names: names, kick: make(chan struct{}, 1), changed: make(chan struct{}),
			looked: make(chan struct{}),
		}
		var ctx context.Context
		ctx, v.end = context.WithCancel(s.ctx)
		s.views[key] = v
		s.wait.Go(func() { v.follow(ctx) })
	}
	v.readers++
	return v, nil
}

// release ends the view after a while, unless somebody opens it again.
func (v *view) release() {
	s := v.server
	time.AfterFunc(linger, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if v.readers--; v.readers == 0 {
			v.end()
			delete(s.views, strings.Join(v.names, "\n"))
		}
	})
}

// wake makes all views look at once.
func (s *Server) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.views {
		select {
		case v.kick <- struct{}{}:
		default:
		}
	}
}

// get returns the newest snapshot, what is closed when another one is there, and why there is none
// or no newer one.
func (v *view) get() (now *page.Snapshot, changed <-chan struct{}, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now, v.changed, v.err
}

func (v *view) set(now *page.Snapshot, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.looked)
	v.looked = make(chan struct{})
	if now == nil {
		now = v.now
	}
	same := now == v.now && (err == nil) == (v.err == nil) &&
		(err == nil || err.Error() == v.err.Error())
	if v.now, v.err = now, err; !same {
		close(v.changed)
		v.changed = make(chan struct{})
	}
}

// follow keeps the view up to date until ctx ends.
func (v *view) follow(ctx context.Context) {
	parts := make([]part, len(v.names))
	for ctx.Err() == nil {
		start := time.Now()
		now, err := v.look(ctx, parts)
		if ctx.Err() != nil {
			return
		}
		v.set(now, err)
		select {
		case <-ctx.Done():
		case <-v.kick:
		case <-time.After(pause(time.Since(start))):
		}
	}
}

// part is a run of a view, as it was read last.
type part struct {
	read    *page.Run // nil: not yet
	stamp   run.Stamp
	locked  bool
	models  *page.Run // that read has
	soon    bool      // others are on their way
	stopped string    // that it was asked to stop
}

// look reads the runs that have changed: nil if none has.
func (v *view) look(ctx context.Context, parts []part) (*page.Snapshot, error) {
	changed := false
	var runs []*page.Run
	for i := range parts {
		p := &parts[i]
		news, err := v.server.read(ctx, v.names[i], p)
		if err != nil {
			clear(parts) // so that nothing that is new is passed over
			return nil, err
		}
		changed = changed || news
		runs = append(runs, p.read)
	}
	if !changed {
		return nil, nil
	}
	joined, err := page.Join(runs)
	if err != nil {
		return nil, err
	}
	return joined.Snapshot()
}

// beingDrawn is what is said of a run meanwhile.
const beingDrawn = "What its newest checkpoint tells (nearest rows, latents, measurements) is " +
	"being computed."

var errGone = errors.New("the run is gone")

// read reads a run if it has changed, and reports whether it has.
func (s *Server) read(ctx context.Context, name string, p *part) (news bool, err error) {
	e, ok := s.runs.find(ctx, name)
	if !ok {
		return false, errGone
	}
	dir := e.Dir
	now := part{stamp: run.StampOf(dir), stopped: s.askedToStop(name)}
	if now.stamp == (run.Stamp{}) {
		return false, errGone
	}
	now.locked = (p.locked || now.stamp != p.stamp) && run.Locked(dir)
	now.models, now.soon = s.models.of(dir, now.locked)
	if p.read != nil && p.stamp == now.stamp && p.locked == now.locked &&
		p.models == now.models && p.soon == now.soon && p.stopped == now.stopped {
		return false, nil
	}
	if err := run.Contained(s.root, dir); err != nil {
		return false, err
	}
	o := s.pageOptions(name)
	o.Measure = page.Written
	if now.read, err = page.ReadRun(ctx, dir, page.MostRuns, o); err != nil {
		return false, err
	}
	if now.models != nil {
		now.read.Keep(now.models)
	}
	if now.soon {
		now.read.Notes = append(slices.Clone(now.read.Notes), beingDrawn)
	}
	now.read.Stop = s.stopOf(name, dir, now.locked)
	*p = now
	return true, nil
}

// pageOptions are those of the page of a run.
func (s *Server) pageOptions(name string) page.Options {
	return page.Options{
		Measure: s.Measure, Data: s.Data, Raw: s.Raw, Threads: s.Threads,
		Link: func(picture string, changed time.Time) string {
			return "picture?" + url.Values{
				"run": {name}, "name": {picture},
				"at": {strconv.FormatInt(changed.UnixMilli(), 36)},
			}.Encode()
		},
	}
}
