package main

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/record"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newTestStatus(live bool) (*status, *bytes.Buffer, *clock) {
	out, c := &bytes.Buffer{}, &clock{time.Unix(1000, 0)}
	return newStatus(out, live, c.now), out, c
}

func wantOutput(t *testing.T, out *bytes.Buffer, want string) {
	t.Helper()
	if got := out.String(); got != want {
		t.Errorf("printed\n%q\nexpected\n%q", got, want)
	}
	out.Reset()
}

var reported = record.Progress{Epoch: 12, Epochs: 90, Step: 840, Steps: 6480, RowsPerS: 21312,
	ReconMSE: 0.04123, PriorLoss: 0.83,
	Clipped: 0.0004, ETA: 131*time.Second + 200*time.Millisecond}

const progressLine = "epoch 12/90  step 840/6,480  21.3k rows/s  mse 0.0412  prior 0.83  " +
	"clipped 0.0 %  ETA 2m11s"

func TestStatusLive(t *testing.T) {
	s, out, c := newTestStatus(true)
	s.setWidth(200)
	s.message("hello")
	wantOutput(t, out, "hello\n")
	s.step(reported)
	wantOutput(t, out, "\r"+progressLine+"\x1b[K")

	c.t = c.t.Add(99 * time.Millisecond)
	p := reported
	p.Step++
	s.step(p)
	wantOutput(t, out, "") // too soon
	next := strings.Replace(progressLine, "840", "841", 1)
	s.message("a message\n") // redraws the newest
	wantOutput(t, out, "\r\x1b[Ka message\n\r"+next+"\x1b[K")

	c.t = c.t.Add(100 * time.Millisecond)
	s.step(reported)
	wantOutput(t, out, "\r"+progressLine+"\x1b[K")
	p.Step = p.Steps
	s.step(p) // the last is shown at once
	last := strings.Replace(progressLine, "840", "6,480", 1)
	wantOutput(t, out, "\r"+last+"\x1b[K")

	s.close()
	wantOutput(t, out, "\r"+last+"\x1b[K\n")
	s.step(reported)
	s.close()
	wantOutput(t, out, "")
	s.message("after")
	wantOutput(t, out, "after\n")
}

func TestStatusLiveEpochs(t *testing.T) {
	s, out, _ := newTestStatus(true)
	const cut = "\rep 12/90 s\x1b[K" // abbreviated, and 10 of 11 columns
	s.setWidth(11)
	s.step(reported)
	wantOutput(t, out, cut)
	s.epoch(record.Epoch{Epoch: 12})
	wantOutput(t, out, "")
	fd := record.Number(2.406)
	s.epoch(record.Epoch{Epoch: 12, Step: 864, RowsPerS: 950, ReconMSE: 0.03, PriorLoss: 0.8,
		LatentMS: 1.25, Clipped: 0.125, Redrawn: 0.01,
		PCA64FD: &fd, EvalSolver: "dpm++2m", Seconds: 61.4})
	wantOutput(t, out, "\r\x1b[Kepoch 12/90  step 864  950 rows/s  mse 0.0300  prior 0.80  z^2 "+
		"1.25  clipped 12.5 %  redrawn 1.0 %  "+
		"PCA-64 FD 2.41 (dpm++2m)  1m1s\n"+cut)
}

func TestStatusPlain(t *testing.T) {
	s, out, _ := newTestStatus(false)
	s.step(reported)
	wantOutput(t, out, "")
	s.epoch(record.Epoch{Epoch: 1, Step: 1072, RowsPerS: 21312, ReconMSE: 0.25, PriorLoss: 1.5,
		LatentMS: 1, Seconds: 3})
	wantOutput(t, out, "epoch 1/90  step 1,072  21.3k rows/s  mse 0.2500  prior 1.50  z^2 1.00  "+
		"clipped 0.0 %  3s\n")
	s.message("a message")
	s.close()
	wantOutput(t, out, "a message\n")
}

// Of many quick epochs some have a line: every third of 250, those with an evaluation, the last,
// and those after a while without a line.
func TestStatusPlainManyEpochs(t *testing.T) {
	s, out, c := newTestStatus(false)
	p := reported
	p.Epochs = 250
	s.step(p)
	c.t = c.t.Add(plainTime - time.Second)
	var shown []int
	distance := record.Number(1)
	for _, e := range []record.Epoch{
		{Epoch: 1}, {Epoch: 2, PCA64FD: &distance}, {Epoch: 3}, {Epoch: 4}, {Epoch: 249},
		{Epoch: 250},
	} {
		s.epoch(e)
		if out.Len() > 0 {
			shown = append(shown, e.Epoch)
		}
		out.Reset()
	}
	c.t = c.t.Add(plainTime)
	s.epoch(record.Epoch{Epoch: 5})
	if !slices.Equal(shown, []int{2, 3, 249, 250}) || out.Len() == 0 {
		t.Errorf("lines of %v, and after a while %q", shown, out)
	}
}

func TestStatusUnknownFigures(t *testing.T) {
	nan, inf := record.Number(math.NaN()), record.Number(math.Inf(1))
	got := stepLine(record.Progress{Epoch: 1, Epochs: 2, Step: 1, Steps: 9, RowsPerS: nan,
		ReconMSE: nan, PriorLoss: nan, Clipped: nan, ETA: -1})
	if want := "epoch 1/2  step 1/9"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
	got = epochLine(record.Epoch{Epoch: 1, Step: 9, RowsPerS: inf, ReconMSE: 1.234e12,
		PriorLoss: inf, LatentMS: nan, Seconds: nan}, 0)
	if want := "epoch 1  step 9  mse 1.23e+12  prior +Inf  clipped 0.0 %"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

// The longest line of a usual run is shown whole on a terminal of 80 columns.
func TestNarrowLine(t *testing.T) {
	var out bytes.Buffer
	s := newStatus(&out, true, func() time.Time { return time.Unix(0, 0) })
	p := record.Progress{Epoch: 90, Epochs: 90, Step: 6480, Steps: 6480, RowsPerS: 12345,
		ReconMSE: 0.0276, PriorLoss: 1.634, Clipped: 0.001, ETA: 131 * time.Second}
	s.step(p)
	want := "\rep 90/90 step 6480/6480 12.3k rows/s mse 0.0276 prior 1.63 clip 0.1% ETA 2m11s" +
		eraseToEnd
	if got := out.String(); got != want {
		t.Errorf("drew %q, expected %q", got, want)
	}
}

// Without a terminal, an epoch of many minutes is not silent.
func TestStatusPlainProgress(t *testing.T) {
	s, out, c := newTestStatus(false)
	s.step(reported)
	c.t = c.t.Add(quietTime - time.Second)
	s.step(reported)
	wantOutput(t, out, "")
	c.t = c.t.Add(time.Second)
	s.step(reported)
	wantOutput(t, out, progressLine+"\n")
	c.t = c.t.Add(quietTime - time.Second)
	s.message("hello")
	c.t = c.t.Add(quietTime - time.Second)
	s.step(reported)
	wantOutput(t, out, "hello\n") // which spoke for the minute
	c.t = c.t.Add(time.Second)
	s.step(reported)
	wantOutput(t, out, progressLine+"\n")
}
