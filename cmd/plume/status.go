package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/record"
)

const (
	liveInterval = 100 * time.Millisecond // between two redraws
	quietTime    = time.Minute            // without a plain line, then one of the progress
	plainLines   = 100                    // of epochs, about, if these are quick
	plainTime    = 10 * time.Second       // without a plain line, then one of every epoch
	liveWidth    = 80                     // columns, until setWidth
	eraseToEnd   = "\x1b[K"
)

// status reports the progress of a run. Live, for terminals, it keeps rewriting one line, or a view
// with curves where there is room for that, and only messages and the records of epochs with an
// evaluation stay on the screen; otherwise it prints
// records as plain lines, and the progress in epochs that take minutes. Errors of the writer
// are ignored: a closed terminal must not end a run. It may be used concurrently.
type status struct {
	mu     sync.Mutex
	w      io.Writer
	live   bool
	now    func() time.Time
	width  int
	height int
	view   *view                   // nil: a line
	screen screen                  // that the view is drawn on
	size   func() (cols, rows int) // of the terminal; unused without a view
	last   record.Progress
	begun  bool      // last is set
	drawn  time.Time // when the live line was last drawn
	spoken time.Time // when a line was last printed that stays
	closed bool
}

// newStatus reports to w, live or in plain lines; now is the clock, time.Now outside of tests.
func newStatus(w io.Writer, live bool, now func() time.Time) *status {
	return &status{w: w, live: live, now: now, width: liveWidth, screen: screen{w: w}}
}

// setView shows a view, on a terminal whose size is asked for at each frame.
func (s *status) setView(plain bool, size func() (cols, rows int)) {
	s.view, s.size = &view{plain: plain}, size
}

// recall gives the view the records of earlier sessions.
func (s *status) recall(records []record.Epoch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view == nil {
		return
	}
	for _, e := range records {
		s.view.add(e)
	}
}

// redraw draws the view at once, as when the terminal has another size. After a pause other output
// may have followed the view: then it is drawn below that.
func (s *status) redraw(paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if paused {
		s.screen.forget()
	}
	s.draw()
}

// setWidth sets the columns of the terminal, to which the live line is cut; 0 or less is ignored.
func (s *status) setWidth(columns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if columns > 0 {
		s.width = columns
	}
}

// step shows the progress in the live line, at most ten times a second except for the last step, or
// in a plain line if there was none for a minute.
func (s *status) step(p record.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.begun
	s.last, s.begun = p, true
	if first || p.Step >= p.Steps || s.now().Sub(s.drawn) >= liveInterval {
		s.draw()
	}
	if s.spoken.IsZero() {
		s.spoken = s.now()
	} else if !s.live && s.now().Sub(s.spoken) >= quietTime {
		s.print(stepLine(p))
	}
}

// epoch prints a record as one line; live, only if it has an evaluation. Of runs of more epochs
// than plainLines it leaves out some that follow each other quickly.
func (s *status) epoch(e record.Epoch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view != nil {
		s.view.add(e)
	}
	if s.worthALine(e) {
		s.print(epochLine(e, s.last.Epochs))
	}
}

func (s *status) worthALine(e record.Epoch) bool {
	if e.PCA64FD != nil || s.live {
		return e.PCA64FD != nil
	}
	every := s.last.Epochs/plainLines + 1
	return e.Epoch%every == 0 || e.Epoch == s.last.Epochs || s.now().Sub(s.spoken) >= plainTime
}

// message prints a line that stays, above the live line.
func (s *status) message(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(text)
}

// close leaves the live line, with the newest progress, as the last one. Messages and records may
// follow.
func (s *status) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live && s.begun && !s.closed {
		s.draw()
		if s.screen.block == 0 {
			io.WriteString(s.w, "\n")
		}
	}
	s.closed = true
}

// draw rewrites the live line. It stays one column short of the width: in the last column some
// terminals hold the cursor back, and erasing would take the last character.
func (s *status) draw() {
	if !s.live || !s.begun || s.closed {
		return
	}
	s.drawn = s.now()
	if block := s.block(); block != nil || s.screen.block > 0 {
		s.screen.show("", block, s.width, s.height)
		if block != nil {
			return
		}
	}
	line := stepLine(s.last)
	if len(line) >= s.width {
		line = narrow.Replace(line)
	}
	io.WriteString(s.w, "\r"+line[:min(len(line), s.width-1)]+eraseToEnd)
}

// block is the view, for the present size of the terminal; nil: there is none, or it has no room.
func (s *status) block() []string {
	if s.view == nil {
		return nil
	}
	if cols, rows := s.size(); cols > 0 && rows > 0 {
		s.width, s.height = cols, rows
	}
	return s.view.lines(s.last, s.width, s.height, s.now())
}

// print writes a line that stays and puts the view, or the live line, below it.
func (s *status) print(text string) {
	s.spoken = s.now()
	text = strings.TrimRight(text, "\n")
	if block := s.block(); block != nil && s.screen.block > 0 && !s.closed {
		s.screen.show(text, block, s.width, s.height)
		return
	}
	s.screen.keep(text)
	text += "\n"
	if s.live && s.begun && !s.closed {
		text = "\r" + eraseToEnd + text
	}
	io.WriteString(s.w, text)
	s.draw()
}

// narrow abbreviates the live line so that the whole of it fits the usual 80 columns.
var narrow = strings.NewReplacer("  ", " ", ",", "", "epoch", "ep", "clipped", "clip", " %", "%")

// stepLine is the live line, in ASCII.
func stepLine(p record.Progress) string {
	parts := []string{
		fmt.Sprintf("epoch %d/%d", p.Epoch, p.Epochs),
		fmt.Sprintf("step %s/%s", humanize.Comma(int64(p.Step)), humanize.Comma(int64(p.Steps))),
		rate(p.RowsPerS),
		figure("mse", 4, p.ReconMSE),
		figure("prior", 2, p.PriorLoss),
		percent("clipped", p.Clipped),
	}
	if p.ETA >= 0 {
		parts = append(parts, "ETA "+p.ETA.Round(time.Second).String())
	}
	return join(parts)
}

// epochLine is the line of a record; epochs is their number in the run, 0 if unknown.
func epochLine(e record.Epoch, epochs int) string {
	count := fmt.Sprintf("epoch %d", e.Epoch)
	if epochs > 0 {
		count += fmt.Sprintf("/%d", epochs)
	}
	parts := []string{
		count,
		"step " + humanize.Comma(int64(e.Step)),
		rate(e.RowsPerS),
		figure("mse", 4, e.ReconMSE),
		figure("prior", 2, e.PriorLoss),
		figure("z^2", 2, e.LatentMS),
		percent("clipped", e.Clipped),
	}
	if e.Redrawn > 0 {
		parts = append(parts, percent("redrawn", e.Redrawn))
	}
	if e.PCA64FD != nil {
		fd := figure("PCA-64 FD", 2, *e.PCA64FD)
		if e.EvalSolver != "" {
			fd += " (" + e.EvalSolver + ")"
		}
		parts = append(parts, fd)
	}
	if e.Seconds.Finite() {
		parts = append(parts,
			time.Duration(float64(e.Seconds)*float64(time.Second)).Round(time.Second).String())
	}
	return join(parts)
}

// join leaves out what is not known.
func join(parts []string) string {
	known := parts[:0]
	for _, p := range parts {
		if p != "" {
			known = append(known, p)
		}
	}
	return strings.Join(known, "  ")
}

// figure is a name and a number with the given decimals, or three digits and an exponent where
// that would be long; "" if the number is NaN.
func figure(name string, decimals int, v record.Number) string {
	switch {
	case v != v:
		return ""
	case math.Abs(float64(v)) >= 1e4:
		return fmt.Sprintf("%s %.3g", name, v)
	}
	return fmt.Sprintf("%s %.*f", name, decimals, v)
}

func percent(name string, share record.Number) string {
	if share != share {
		return ""
	}
	return fmt.Sprintf("%s %.1f %%", name, 100*share)
}

// rate is rows per second with a decimal prefix: 21.3k rows/s.
func rate(v record.Number) string {
	if !v.Finite() || v <= 0 {
		return ""
	}
	if v < 1000 {
		return fmt.Sprintf("%.0f rows/s", v)
	}
	value, prefix := humanize.ComputeSI(float64(v))
	return fmt.Sprintf("%.1f%s rows/s", value, prefix)
}
