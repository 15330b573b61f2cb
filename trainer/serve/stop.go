package serve

import (
	"fmt"
	"net/http"
	"os"

	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/run"
)

// asked is what is said of a run that was asked to stop.
const asked = "it was asked to stop, and saves a checkpoint at its next step"

// askedToStop says which process of a run was asked to stop; "": none was.
func (s *Server) askedToStop(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping[name]
}

// stopOf says how a run can be stopped; nil if it is not in progress.
func (s *Server) stopOf(name, dir string, running bool) *page.Stop {
	if !running {
		return nil
	}
	stop := &page.Stop{Run: name}
	if s.Stop != nil {
		if s.askedToStop(name) != "" {
			stop.Why = asked
		}
		return stop
	}
	process, err := trainingProcess(dir)
	switch {
	case err != nil:
		stop.Why = err.Error()
	case s.askedToStop(name) == process.id():
		stop.Why = asked
	}
	process.release()
	return stop
}

// serveStop asks the process of a run to save a checkpoint and end, once.
func (s *Server) serveStop(w http.ResponseWriter, r *http.Request) {
	if !s.bearer(r) {
		http.Error(w, "the token of the page is missing, or is that of a server that has ended: "+
			"load the page again", http.StatusForbidden)
		return
	}
	name := r.PostFormValue("run")
	e, ok := s.runs.find(r.Context(), name)
	if !ok {
		http.Error(w, fmt.Sprintf("there is no run %q here", name), http.StatusNotFound)
		return
	}
	if err := s.stop(name, e.Dir); err != nil {
		http.Error(w, "It was not stopped: "+err.Error(), http.StatusConflict)
		return
	}
	s.wake()
	fmt.Fprintln(w, "It saves a checkpoint at its next step, and ends.")
}

// stop asks the process of a run to end, unless it was asked already: a second signal would end it
// at once, without a checkpoint.
func (s *Server) stop(name, dir string) error {
	if s.Stop != nil {
		if !s.noteStop(name, "this process") {
			return nil
		}
		return s.Stop()
	}
	process, err := trainingProcess(dir)
	if err != nil {
		return err
	}
	defer process.release()
	if !s.noteStop(name, process.id()) {
		return nil
	}
	return process.stop()
}

// noteStop notes that a process is asked to stop, and reports whether it had not been.
func (s *Server) noteStop(name, process string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping[name] == process {
		return false
	}
	s.stopping[name] = process
	return true
}

// training is a process that trains a run.
type training struct {
	holder  run.Holder
	process *os.Process
}

func (t *training) id() string { return fmt.Sprintf("%d since %v", t.holder.PID, t.holder.Since) }

func (t *training) release() {
	if t != nil {
		_ = t.process.Release()
	}
}

// holderHere returns the process that has the lock of a run, if it is said to be one of this
// machine.
func holderHere(dir string) (h run.Holder, err error) {
	h, running := run.Running(dir)
	if !running {
		return h, fmt.Errorf("no process is training it")
	}
	host, err := os.Hostname()
	if err != nil {
		return h, err
	}
	if h.PID <= 0 {
		return h, fmt.Errorf("its lock does not say which process trains it")
	}
	if h.Host != host {
		return h, fmt.Errorf("it is trained on %s, and this is %s", h.Host, host)
	}
	return h, nil
}
