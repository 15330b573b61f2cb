package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"

	"github.com/plume-ml/plume/trainer/record"
)

// emulated is a terminal whose line discipline turns newlines into carriage returns and line feeds.
type emulated struct{ vt10x.Terminal }

func newTerminal(cols, rows int) emulated {
	return emulated{vt10x.New(vt10x.WithSize(cols, rows))}
}

func (e emulated) Write(p []byte) (int, error) {
	_, err := e.Terminal.Write([]byte(strings.ReplaceAll(string(p), "\n", "\r\n")))
	return len(p), err
}

// seen are the lines on the terminal, without spaces at their ends and empty lines at the end.
func (e emulated) seen() []string {
	lines := strings.Split(strings.TrimRight(e.String(), "\n "), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

// Whatever is said and shown, the terminal has the lines that stay and then the block, and nothing
// else: no rest of an earlier block, and no line twice.
func TestScreenShows(t *testing.T) {
	const cols, rows = 40, 20
	random := rand.New(rand.NewPCG(1, 2))
	term := newTerminal(cols, rows)
	s := screen{w: term}
	var said []string
	scrolled := 0 // lines, which do not come back if there are fewer later
	for i := range 300 {
		var block []string
		for k := range 3 + random.IntN(8) {
			block = append(block, strings.Repeat("x", random.IntN(cols-1))+fmt.Sprint(k))
		}
		text := ""
		if random.IntN(3) == 0 {
			text = fmt.Sprintf("message %d\nand more", i)
			said = append(said, strings.Split(text, "\n")...)
		}
		s.show(text, block, cols, rows)
		all := append(said[:len(said):len(said)], block...)
		scrolled = max(scrolled, len(all)+1-rows) // the cursor is below the last
		if diff := cmp.Diff(all[scrolled:], term.seen()); diff != "" {
			t.Fatalf("after %d frames: %s", i+1, diff)
		}
	}
}

// On a terminal of another size the screen is written anew, with as many of the lines that stay as
// there is room for, a long one over several rows.
func TestScreenResized(t *testing.T) {
	term := newTerminal(60, 20)
	s := screen{w: term}
	s.show("first\n"+strings.Repeat("long ", 10)+"\nlast", []string{"a", "b", "c"}, 60, 20)
	term.Resize(25, 8)
	s.show("", []string{"d", "e"}, 25, 8)
	long := strings.Repeat("long ", 5)
	want := []string{"first", strings.TrimSpace(long), strings.TrimSpace(long), "last", "d", "e"}
	if diff := cmp.Diff(want, term.seen()); diff != "" {
		t.Error(diff)
	}
	term.Resize(25, 5)
	s.show("", []string{"f", "g"}, 25, 5)
	if diff := cmp.Diff([]string{"last", "f", "g"}, term.seen()); diff != "" {
		t.Error(diff)
	}
}

// After a pause what others have written stays.
func TestScreenPaused(t *testing.T) {
	term := newTerminal(40, 20)
	s := screen{w: term}
	s.show("run", []string{"a", "b"}, 40, 20)
	io.WriteString(term, "[1]+  Stopped\n$ fg\n")
	s.forget()
	s.show("", []string{"c", "d"}, 40, 20)
	s.show("", []string{"e", "f"}, 40, 20)
	want := []string{"run", "a", "b", "[1]+  Stopped", "$ fg", "e", "f"}
	if diff := cmp.Diff(want, term.seen()); diff != "" {
		t.Error(diff)
	}
}

// viewed is a view with some records.
func viewed(plain bool, n int) *view {
	v := &view{plain: plain}
	for i := 1; i <= n; i++ {
		held, fd := record.Number(2/float64(i)), record.Number(9)
		e := record.Epoch{
			Epoch: i, Step: 10 * i, ReconMSE: 1 / record.Number(i), EnergyNats: -5,
			PriorLoss: 1.2, RowsPerS: 2e4, LatentMS: 1, PeakShare: 0.5, HeldOutMSE: &held,
			HeldOutNats: &held, PhaseSeconds: map[string]record.Number{"move": 3, "idle": 1},
		}
		if i%5 == 0 {
			e.PCA64FD, e.PCA64Floor = &fd, &held
		}
		v.add(e)
	}
	return v
}

var (
	aColour = regexp.MustCompile("\x1b\\[[0-9;]*m")
	moved   = regexp.MustCompile("\x1b\\[[0-9]*A")
	control = regexp.MustCompile(`[\x00-\x1f]`)
)

// A view fits its terminal, leaves rows to other lines, and is as high with many records as with
// none, so that it does not jump. It has colours alone, or none.
func TestViewFits(t *testing.T) {
	for _, size := range [][2]int{{60, 16}, {80, 24}, {81, 25}, {99, 31}, {120, 40}, {300, 90}} {
		cols, rows := size[0], size[1]
		high := map[int]bool{}
		for _, n := range []int{0, 1, 2, 60} {
			for _, plain := range []bool{true, false} {
				lines := viewed(plain, n).lines(reported, cols, rows, time.Now())
				high[len(lines)] = true
				if len(lines) > rows-2 || len(lines) < 8 {
					t.Errorf("%v, %d records: %d lines", size, n, len(lines))
				}
				for _, line := range lines {
					bare := aColour.ReplaceAllString(line, "")
					if k := len([]rune(bare)); k >= cols || control.MatchString(bare) {
						t.Errorf("%v, %d records: %d columns in %q", size, n, k, line)
					}
					if plain && bare != line {
						t.Errorf("%v: colours in %q", size, line)
					}
				}
			}
		}
		if len(high) != 1 {
			t.Errorf("%v: of different heights %v", size, high)
		}
	}
	for _, size := range [][2]int{{59, 40}, {200, 15}, {0, 0}} {
		if lines := viewed(true, 5).lines(reported, size[0], size[1], time.Now()); lines != nil {
			t.Errorf("a view on %v", size)
		}
	}
}

// A view shows what the records have, by name, and the newest distance also long after its report.
func TestViewShows(t *testing.T) {
	text := strings.Join(viewed(true, 64).lines(reported, 120, 40, time.Now()), "\n")
	for _, want := range []string{
		" 12 %\n", "epoch 12/90  step 840/6,480  21.3k rows/s", "ETA 2m11s",
		"held-out mse 0.0312", "PCA-64 FD 9.00 (real 0.03)", "of the peak 50.0 %",
		"idle 25.0 %", "z^2 1.00", "MSE (log)  a training  b held-out",
		"PCA-64 FD (log)  a samples  b real", "energy, nats", "prior loss", "640",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// Of very many records a view keeps some, the newest among them.
func TestViewThins(t *testing.T) {
	v := &view{}
	for i := 1; i <= 3*mostKept; i++ {
		v.add(record.Epoch{Epoch: i, Step: i, ReconMSE: record.Number(math.Exp(-float64(i)))})
		if n := len(v.records); n > mostKept || v.records[n-1].Step != i {
			t.Fatalf("%d records after %d, the last of step %d", n, i, v.records[n-1].Step)
		}
	}
	if first := v.records[0].Step; first > 8 {
		t.Errorf("the first is of step %d", first)
	}
}

// Messages and the records of reports stay above the view; when it is closed, it stays, and what
// follows is below it. On a terminal that is too small there is the live line.
func TestStatusView(t *testing.T) {
	const cols, rows = 120, 24
	term, c := newTerminal(cols, rows), &clock{time.Unix(1000, 0)}
	s := newStatus(term, true, c.now)
	size := [2]int{cols, rows}
	s.setView(true, func() (int, int) { return size[0], size[1] })
	s.message("Run directory: x")
	s.step(reported)
	fd := record.Number(2.5)
	s.epoch(record.Epoch{Epoch: 12, Step: 840, ReconMSE: 0.04, PCA64FD: &fd})
	s.message("WARNING: warm")
	seen := term.seen()
	if len(seen) > rows-1 || seen[0] != "Run directory: x" ||
		!strings.HasPrefix(seen[1], "epoch 12/90  step 840") || seen[2] != "WARNING: warm" ||
		!strings.HasSuffix(seen[3], " 12 %") {
		t.Errorf("on the terminal:\n%s", strings.Join(seen, "\n"))
	}
	size = [2]int{50, 10}
	term.Resize(50, 10)
	s.redraw(false)
	seen = term.seen()
	if last := seen[len(seen)-1]; !strings.HasPrefix(last, "ep 12/90 step 840/6480") ||
		strings.Contains(strings.Join(seen, ""), "━") {
		t.Errorf("on a small terminal:\n%s", strings.Join(seen, "\n"))
	}
	size = [2]int{cols, rows}
	term.Resize(cols, rows)
	s.redraw(false)
	s.close()
	s.message("Trained")
	seen = term.seen()
	if n := len(seen); seen[n-1] != "Trained" || !strings.Contains(strings.Join(seen, ""), "━") {
		t.Errorf("at the end:\n%s", strings.Join(seen, "\n"))
	}
}
