package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	mostStreams = 64 // at a time

	// beat is the time between signs of life to readers who have nothing new to hear.
	beat = 15 * time.Second
	// slowest is how long a reader may take to receive what it lacks. A slower one is dropped: it
	// will come back, and lack no more then than it does now.
	slowest = 10 * time.Second
)

// events is a stream of server-sent events.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	done    <-chan struct{} // of the server
	beat    time.Duration
	state   string // that the reader has
	problem string // that the reader knows
}

// errEnd ends a stream whose server ends.
var errEnd = errors.New("the server ends")

// stream answers with the events that follow sends until it returns. Its context ends with the
// reader's connection; when the server ends, follow is called again, to send what is new by then.
func (s *Server) stream(
	w http.ResponseWriter, r *http.Request, follow func(context.Context, *events) error,
) {
	s.mu.Lock()
	full, closed := s.streams >= mostStreams, s.closed
	if !full && !closed {
		s.streams++
	}
	s.mu.Unlock()
	if full || closed {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many readers, or the server is about to end: try again later",
			http.StatusServiceUnavailable)
		return
	}
	defer func() {
		s.mu.Lock()
		s.streams--
		s.mu.Unlock()
	}()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // proxies must not wait for more
	e := &events{
		w: w, control: http.NewResponseController(w), done: s.done, beat: s.beat,
		state: r.URL.Query().Get("at"),
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		e.state = last // of a browser that comes back by itself
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if err := e.write("retry: 2000\n\n"); err != nil {
		return
	}
	if err := follow(ctx, e); errors.Is(err, errEnd) {
		_ = e.send("end", "", "")
	}
}

// wait returns when there may be something new, with errEnd when the server ends.
func (e *events) wait(ctx context.Context, changed <-chan struct{}) error {
	timer := time.NewTimer(e.beat)
	defer timer.Stop()
	for {
		select {
		case <-changed:
			return nil
		case <-e.done:
			return errEnd
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			if err := e.write("event: beat\ndata: 1\n\n"); err != nil {
				return err
			}
			timer.Reset(e.beat)
		}
	}
}

// send sends an event with JSON. The id "" leaves that of the last event in force.
func (e *events) send(name, id string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", name, text)
	return e.write(b.String())
}

func (e *events) write(text string) error {
	err := e.control.SetWriteDeadline(time.Now().Add(slowest))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.control.Flush()
}
