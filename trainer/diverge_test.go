package trainer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// poisonedRun is a session in which the state is spoilt after the given steps, each once.
type poisonedRun struct {
	stop     int            // interrupt the session at this step; 0: never
	after    int            // but not before this many warnings
	poison   map[int]string // step: name of the tensor to spoil after it
	value    float32
	team     *Team // nil: a single rank
	warnings []string
}

// run starts a new run in dir, or resumes the one there.
func (p *poisonedRun) run(t *testing.T, c config.Config, dir string, resume bool) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var tr *Trainer
	hook := WithHook(Hook{
		OnStep: func(m record.Progress) {
			if name, ok := p.poison[m.Step]; ok {
				delete(p.poison, m.Step)
				spoil(tr, name, p.value)
			}
			if m.Step == p.stop && len(p.warnings) >= p.after {
				cancel()
			}
		},
		OnWarning: func(text string) { p.warnings = append(p.warnings, text) },
	})
	opts := []Option{hook}
	if p.team != nil {
		opts = append(opts, WithTeam(p.team))
	}
	var err error
	if resume {
		tr, err = Resume(t.Context(), dir, c, opts...)
	} else {
		tr, err = New(t.Context(), c, dir, opts...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return errors.Join(tr.Run(ctx), tr.Close())
}

// spoil fills the first eight elements of a tensor.
func spoil(tr *Trainer, name string, value float32) {
	for _, x := range tr.method.Tensors() {
		if x.Name == name {
			for i := range x.F32[:8] {
				x.F32[i] = value
			}
		}
	}
	tr.method.Restored() // weights are laid out again
}

// divergentRun is smallRun with a checkpoint after each epoch, of 14 steps.
func divergentRun(methodName config.Method) config.Config {
	c := smallRun()
	c.Method, c.CheckpointEvery, c.EvalEvery = methodName, config.EveryEpochs(1), 0
	if methodName == "vae+diffusion" || methodName == "two-stage" {
		c.EncoderWidths = []int{16}
	}
	return c
}

// A run whose state is spoilt goes back to its last checkpoint, or to the start, with a smaller
// step, and completes. Its bits do not depend on the number of threads, nor on an interruption
// after it went back. metrics.jsonl and run.json record what happened.
func TestRetry(t *testing.T) {
	nan := float32(math.NaN())
	for _, name := range []config.Method{"ipld", "vae+diffusion", "two-stage", "pgd+diffusion"} {
		for _, where := range []struct{ spoilt, back int }{{5, 0}, {20, 14}} {
			t.Run(fmt.Sprint(name, " at ", where.spoilt), func(t *testing.T) {
				var first []byte
				for i, threads := range []int{1, 3, 2} {
					c, dir := divergentRun(name), t.TempDir()
					c.Threads = threads
					p := &poisonedRun{value: nan}
					p.poison = map[int]string{where.spoilt: "decoder/params"}
					if i == 2 { // interrupted after going back
						p.stop, p.after = where.spoilt+2, 1
						if err := p.run(t, c, dir, false); !errors.Is(err, ErrInterrupted) {
							t.Fatal(err)
						}
						c.Threads = 1
						p.stop = 0
					}
					if err := p.run(t, c, dir, i == 2); err != nil {
						t.Fatal(err)
					}
					checkRetried(t, dir, where.spoilt, where.back, p.warnings)
					if state := finalState(t, dir); i == 0 {
						first = state
					} else if !bytes.Equal(state, first) {
						t.Errorf("other bits at %d threads", threads)
					}
				}
			})
		}
	}
}

// checkRetried expects one retry at half the step size, from the given state.
func checkRetried(t *testing.T, dir string, spoilt, back int, warnings []string) {
	t.Helper()
	text := strings.Join(warnings, "\n")
	want := fmt.Sprintf("step %d: the decoder's layer0.weight[0, 0] is NaN. "+
		"The run goes back to step %d,", spoilt+1, back)
	if !strings.Contains(text, want) {
		t.Errorf("warnings %q: expected %q", text, want)
	}
	info, err := run.ReadInfo(dir)
	if err != nil || len(info.Divergences) != 1 || info.Finished == nil || info.Diverged {
		t.Fatalf("run.json: %+v, %v", info, err)
	}
	d := info.Divergences[0]
	if d.Step != spoilt+1 || *d.BackTo != back || d.Factor != 0.5 || d.Retry != 1 ||
		d.Place.Parameter != "layer0.weight[0, 0]" {
		t.Errorf("run.json: %+v", d)
	}
	records, err := record.ReadLog(filepath.Join(dir, "metrics.jsonl"))
	if err != nil || len(records) != runEpochs {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records {
		if slowed := r.Step > back; slowed != (r.Slowed != nil) || slowed && *r.Slowed != 0.5 {
			t.Errorf("the record of step %d has the factor %v", r.Step, r.Slowed)
		}
	}
	wantSlowed := checkpoint.Slowed{Retries: 1, Factor: 0.5, From: back, Times: 1}
	if slowed := finalMeta(t, dir).Slowed; slowed != wantSlowed {
		t.Errorf("the last checkpoint has %+v", slowed)
	}
}

// finalMeta is the description of the newest checkpoint.
func finalMeta(t *testing.T, dir string) checkpoint.Meta {
	t.Helper()
	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := checkpoint.LoadSome(latest, nil)
	if err != nil {
		t.Fatal(err)
	}
	return meta
}

// A run whose process is killed right after going back resumes with the bits of one that was not.
func TestKilledAfterGoingBack(t *testing.T) {
	c, dir, killed := divergentRun("ipld"), t.TempDir(), filepath.Join(t.TempDir(), "killed")
	var tr *Trainer
	warned, copied := false, false
	hook := WithHook(Hook{
		OnWarning: func(text string) { warned = warned || strings.Contains(text, "goes back") },
		OnStep: func(m record.Progress) {
			switch {
			case m.Step == 20 && !warned:
				spoil(tr, "prior/params", float32(math.NaN()))
			case warned && !copied:
				copied = true
				err := os.CopyFS(killed, os.DirFS(dir))
				if err != nil && !strings.Contains(err.Error(), "latest") {
					t.Error(err)
				}
			}
		},
	})
	var err error
	if tr, err = New(t.Context(), c, dir, hook); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	resumeRun(t, killed, c, -1)
	if !bytes.Equal(finalState(t, dir), finalState(t, killed)) ||
		*finalRecord(t, killed).Slowed != 0.5 {
		t.Error("the run that was killed goes on with other bits")
	}
}

// A run whose newest checkpoint holds the cause of its divergence goes back to the one before.
func TestSeedInTheCheckpoint(t *testing.T) {
	c, dir := divergentRun("ipld"), t.TempDir()
	p := &poisonedRun{value: 1e30, stop: 16, after: 1}
	p.poison = map[int]string{28: "decoder/params"} // a checkpoint is saved right after
	if err := p.run(t, c, dir, false); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "checkpoints", "step-000028")); err == nil {
		t.Error("the checkpoint that holds the cause is still there")
	}
	records, err := record.ReadLog(filepath.Join(dir, "metrics.jsonl"))
	if err != nil || len(records) != 1 || records[0].Step != 14 {
		t.Errorf("records %+v, %v: expected that of step 14 alone", records, err)
	}
	p.stop = 0
	if err := p.run(t, c, dir, true); err != nil {
		t.Fatal(err)
	}
	info, err := run.ReadInfo(dir)
	if err != nil || len(info.Divergences) != 1 || *info.Divergences[0].BackTo != 14 ||
		info.Divergences[0].Step != 29 {
		t.Errorf("run.json: %+v, %v", info.Divergences, err)
	}
}

// A run that went back to the start has the bits of one configured with the smaller steps.
func TestRetryFromTheStart(t *testing.T) {
	for _, name := range []config.Method{"ipld", "vae+diffusion"} {
		c, dir := divergentRun(name), t.TempDir()
		p := &poisonedRun{poison: map[int]string{9: "decoder/params"}, value: float32(math.NaN())}
		if err := p.run(t, c, dir, false); err != nil {
			t.Fatal(err)
		}
		half := c
		half.StepSize, half.StepSizeEnd, half.LR = c.StepSize/2, c.StepSizeEnd/2, c.LR/2
		want := t.TempDir()
		if err := p.run(t, half, want, false); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(finalState(t, dir), finalState(t, want)) {
			t.Errorf("%s: other bits", name)
		}
		// The evaluations of the first attempt count.
		other := regexp.MustCompile(`evaluations:\S+ |divergence_factor:0.5 `)
		wantMetrics := metricsOf(t, want)
		for i, line := range metricsOf(t, dir) {
			a := other.ReplaceAllString(line, "")
			b := other.ReplaceAllString(wantMetrics[i], "")
			if a != b {
				t.Errorf("%s: record %s, expected %s", name, a, b)
			}
		}
	}
}

// A run tries twice from a checkpoint whose continuations fail soon in spite of smaller steps, and
// then goes back further. With two of its retries left it completes.
func TestSoonAgain(t *testing.T) {
	c, dir := divergentRun("ipld"), t.TempDir()
	c.DivergenceRetries = 4
	p := &poisonedRun{value: float32(math.NaN())}
	backs := func() (list []int) {
		info, err := run.ReadInfo(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range info.Divergences {
			list = append(list, *d.BackTo)
		}
		return list
	}
	// Step 30 fails each time until four retries are used.
	p.poison = map[int]string{}
	var tr *Trainer
	hook := WithHook(Hook{OnStep: func(m record.Progress) {
		if m.Step == 30 && tr.recovery.slowed.Retries < 4 {
			spoil(tr, "decoder/params", p.value)
		}
	}})
	var err error
	if tr, err = New(t.Context(), c, dir, hook); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	// Back to 28 twice, then to 14; the new checkpoint of 28 is tried twice in its turn.
	if got, want := backs(), []int{28, 28, 14, 28}; !slices.Equal(got, want) {
		t.Errorf("went back to %v, expected %v", got, want)
	}
	if f := *finalRecord(t, dir).Slowed; f != 0.0625 {
		t.Errorf("factor %v", f)
	}
}

func finalRecord(t *testing.T, dir string) record.Epoch {
	t.Helper()
	records, err := record.ReadLog(filepath.Join(dir, "metrics.jsonl"))
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	return records[len(records)-1]
}

// When the retries are used up, the error names the place and what was tried. The last good
// checkpoint stays, and a session with more retries resumes from it.
func TestRetriesAreUsedUp(t *testing.T) {
	c, dir := divergentRun("vae+diffusion"), t.TempDir()
	c.DivergenceRetries, c.DivergenceFactor = 1, 0.25
	p := &poisonedRun{value: float32(math.NaN())}
	p.poison = map[int]string{16: "encoder/params", 17: "prior/params"}
	err := p.run(t, c, dir, false)
	for _, want := range []string{
		"step 18: the prior's emb1.weight[0, 0] is NaN",
		"tried again 1 times", "0.25 times", "step-000014", "try ",
	} {
		if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v: expected ErrDiverged and %q", err, want)
		}
	}
	info, err := run.ReadInfo(dir)
	if err != nil || !info.Diverged || len(info.Divergences) != 2 ||
		info.Divergences[1].Kept != "step-000014" || info.Divergences[1].BackTo != nil {
		t.Errorf("run.json: %+v, %v", info, err)
	}
	c.DivergenceRetries = 2
	p.poison = map[int]string{20: "decoder/params"}
	if err := p.run(t, c, dir, true); err != nil {
		t.Fatal(err)
	}
	if f := *finalRecord(t, dir).Slowed; f != 0.0625 {
		t.Errorf("factor %v", f)
	}
}

// Smaller steps are not tried where the data or the initial state are at fault.
func TestHopeless(t *testing.T) {
	for want, change := range map[string]func(c *config.Config){
		"a pixel is 1e+30 for datapoint": func(c *config.Config) {
			c.Data, c.Holdout = hugePixel(t), 0
		},
		"it is in the initial state": func(c *config.Config) { c.ObsNoise = 1e-15 },
	} {
		c, dir := divergentRun("pgd"), t.TempDir()
		change(&c)
		p := &poisonedRun{}
		err := p.run(t, c, dir, false)
		retried := strings.Contains(strings.Join(p.warnings, "\n"), "goes back")
		if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), want) || retried {
			t.Errorf("%v, warnings %q; expected ErrDiverged and %q at once", err, p.warnings, want)
			continue
		}
		if strings.Contains(want, "pixel") &&
			!strings.Contains(err.Error(), "(row 7 of the data)") {
			t.Errorf("%v: expected the row", err)
		}
	}
}

// hugePixel is an array of 60 images; number 7 has a pixel whose square overflows.
func hugePixel(t *testing.T) string {
	t.Helper()
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (60, 4, 4), }"
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	out = append(out, header...)
	for i := range 60 * 16 {
		v := float32(math.Sin(float64(i)))
		if i == 7*16+3 {
			v = 1e30
		}
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	path := filepath.Join(t.TempDir(), "huge.npy")
	if err := os.WriteFile(path, out, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// If the newest checkpoint is damaged, a retry goes back to the one before it.
func TestRetryPastADamagedCheckpoint(t *testing.T) {
	c, dir := divergentRun("ipld"), t.TempDir()
	var tr *Trainer
	damaged := false
	hook := WithHook(Hook{OnStep: func(m record.Progress) {
		if m.Step == 30 && !damaged {
			damaged = true
			awaitSaved(t, dir, 28)
			latest, err := checkpoint.Latest(dir)
			if err == nil {
				err = os.Truncate(filepath.Join(latest, "state.safetensors"), 100)
			}
			if err != nil {
				t.Error(err)
			}
			spoil(tr, "decoder/params", float32(math.NaN()))
		}
	}})
	var err error
	if tr, err = New(t.Context(), c, dir, hook); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := run.ReadInfo(dir)
	if err != nil || len(info.Divergences) != 1 || *info.Divergences[0].BackTo != 14 {
		t.Errorf("run.json: %+v, %v", info.Divergences, err)
	}
}

// A run whose particles blow up diverges as soon as the epoch's share is certain to be too large.
func TestLostParticles(t *testing.T) {
	c, dir := divergentRun("ipld"), t.TempDir()
	c.Dynamics, c.StepSize, c.StepSizeEnd = "overdamped", 1e4, 1e4
	c.DriftClip, c.ObsNoise, c.CatchUp = 0, 0.01, 0
	p := &poisonedRun{}
	err := p.run(t, c, dir, false)
	var f *method.Fault
	if !errors.As(err, &f) || f.Kind != method.BlownUp || f.Step > runBatches*runRepeats ||
		!strings.Contains(err.Error(), "drift_clip") {
		t.Errorf("%v: expected a fault of the moves within the first epoch", err)
	}
}
