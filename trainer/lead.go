package trainer

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Team is the ranks of a training (package comm), as the first of them leads them. It alone has a
// Trainer: it writes the run, reports and evaluates. The others serve it (Follow). Each holds the
// particles of its own datapoints, and takes part in every step.
type Team struct {
	comm   *comm.Meter
	every  time.Duration
	before exchange // at the last record

	own     ownShard
	written chan gathered // to the checkpoint that has been written; nil: none
	storing chan gathered // to the one that the ranks are storing; nil: none
	stored  bool          // all ranks have stored theirs

	over  chan struct{} // closed at the end
	mu    sync.Mutex    // of all below, and of exchanges
	last  time.Time     // of the last exchange
	ended bool
	err   error  // of an exchange, after which there is none
	stop  func() // what a signal to another rank does; nil: nothing
}

// order is what the leader wants of the others.
type order struct {
	Do string `json:"do"` // one of the constants below

	Build    *plan   `json:"build,omitempty"`
	Number   uint32  `json:"number,omitempty"` // of a method.Minibatch, as the next two
	Repeat   int     `json:"repeat,omitempty"`
	Progress float64 `json:"progress,omitempty"` // or the share that is done, for a diagnosis
	Factor   float64 `json:"factor,omitempty"`
	Index    []int   `json:"index,omitempty"`
	Rows     string  `json:"rows,omitempty"` // what the leader's file is like
	Dir      string  `json:"dir,omitempty"`
	Code     int     `json:"code,omitempty"`
}

const (
	toWait     = "wait" // a sign of life
	toSurvey   = "survey"
	toBuild    = "build"
	toStep     = "step"
	toSlow     = "slow"
	toDiagnose = "diagnose"
	toLatents  = "latents"
	toCheck    = "check"
	toSave     = "save"
	toStore    = "store"
	toGather   = "gather"
	toRestore  = "restore"
	toEnd      = "end"
)

// plan is what a rank needs to make the method, or a survey before it.
type plan struct {
	Version     string `json:"version"` // of the program
	Backend     string `json:"backend"` // of products
	Config      string `json:"config"`  // resolved, as TOML
	Schema      string `json:"schema"`  // of a table, as TOML; "": it is none
	Fingerprint string `json:"fingerprint"`
	RunDir      string `json:"run_dir"`

	// Ends are the stored values that become -1 and 1, of rows that stay in their file; nil: they
	// are read into memory, or not known yet.
	Ends *[2]float64 `json:"ends,omitempty"`
}

// Lead makes a team of the ranks of c, of which this must be the first. In the time every it gives
// a sign of life, so that the others can tell a long evaluation from a dead rank. Dismiss ends it.
func Lead(c comm.Comm, every time.Duration) *Team {
	t := &Team{comm: comm.Measured(c), every: every, over: make(chan struct{}), last: time.Now()}
	go t.live()
	return t
}

// live gives signs of life while there is nothing else to say.
func (t *Team) live() {
	tick := time.NewTicker(t.every / 2)
	defer tick.Stop()
	for {
		select {
		case <-t.over:
			return
		case <-tick.C:
		}
		if !t.mu.TryLock() { // an exchange is under way
			continue
		}
		if !t.ended && t.err == nil && time.Since(t.last) >= t.every/2 {
			t.err = t.send(order{Do: toWait})
		}
		t.mu.Unlock()
	}
}

func (t *Team) send(o order) error {
	t.last = time.Now()
	_, err := comm.Share[order](t.comm, o, 0)
	return err
}

// OnStop says what a signal to another rank does: usually what one to this process would do.
func (t *Team) OnStop(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop = f
}

// do gives an order, and does the leader's part of it.
func (t *Team) do(o order, part func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = t.send(o)
	}
	if t.err != nil {
		return t.err
	}
	err := part()
	t.last = time.Now()
	return err
}

// Dismiss ends the other ranks with an exit code, and returns when they are about to end. Calls
// after the first do nothing.
func (t *Team) Dismiss(code int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil
	}
	t.ended = true
	close(t.over)
	if t.err == nil {
		t.err = t.send(order{Do: toEnd, Code: code})
	}
	if t.err == nil {
		t.err = t.comm.Barrier()
	}
	if t.err != nil {
		t.comm.Abort(code)
		return fmt.Errorf("the ranks could not end together: %w", t.err)
	}
	return nil
}

// WithTeam makes the trainer share its training with other ranks. There must be fewer ranks than
// lanes, or as many (comm.Check).
func WithTeam(team *Team) Option {
	return func(t *Trainer) { t.team, t.ranks = team, team.comm }
}

// OneOf makes DryRun tell of the first of so many ranks: of its memory, and the time of its part of
// a step without the exchange with the others.
func OneOf(ranks int) Option { return func(t *Trainer) { t.ranks = comm.Forecast{Ranks: ranks} } }

// checkTeam refuses a training that the ranks cannot share.
func (t *Trainer) checkTeam() error {
	n := t.size()
	if n == 1 {
		return nil
	}
	if err := comm.Check(t.cfg.Lanes, n); err != nil {
		return fmt.Errorf("%w; or set lanes to %d times a power of two, which gives other bits",
			err, n)
	}
	if t.like != nil {
		return errors.New("conditions that a program gives (WithConditions) are on one rank alone")
	}
	if b := blas.Info().Backend; b != "native" {
		return fmt.Errorf("--blas %s on %d ranks: its sums are not made by lanes, and would "+
			"depend on the number of ranks; use --blas native", b, n)
	}
	return nil
}

// assemble makes the method on all ranks, this one by calling own.
func (t *Trainer) assemble(own func() error) error {
	if t.team == nil {
		return own()
	}
	p, err := t.plans(t.cfg)
	if err != nil {
		return err
	}
	if t.data.stay {
		p.Ends = &t.data.read.Range
	}
	return t.team.do(order{Do: toBuild, Build: &p}, func() error {
		if err := t.team.together(nothing); err != nil {
			return err
		}
		return own()
	})
}

// plans returns what the others have to know to train with a configuration.
func (t *Trainer) plans(c config.Config) (p plan, err error) {
	text, err := c.TOML()
	if err != nil {
		return p, err
	}
	p = plan{
		Version: run.Version(), Backend: string(blas.Info().Backend), Config: string(text),
		Fingerprint: t.data.fingerprint,
	}
	if p.RunDir, err = filepath.Abs(t.writer.Dir); err != nil || t.data.schema == nil {
		return p, err
	}
	schema, err := t.data.schema.WriteTOML()
	p.Schema = string(schema)
	return p, err
}

func nothing() error { return nil }

// together does a part of an order that takes longer on some ranks than on others.
func (t *Team) together(part func() error) error {
	agreed, broken := comm.Together(t.comm, t.every/2, part)
	t.err = broken
	return cmp.Or(broken, agreed)
}

// size is the number of ranks.
func (t *Trainer) size() int {
	if t.ranks == nil {
		return 1
	}
	return t.ranks.Size()
}

// exchanged is the bytes that this rank has sent to others in the epoch, and the seconds of its
// calls; nil if there are no others.
func (t *Trainer) exchanged() (sent, seconds *record.Number) {
	if t.team == nil {
		return nil, nil
	}
	m := t.team.comm
	now := exchange{float64(m.Bytes()), m.Seconds()}
	bytes := record.Number(now.bytes - t.team.before.bytes)
	took := record.Number(now.seconds - t.team.before.seconds)
	t.team.before = now
	return &bytes, &took
}

// exchange is what calls to other ranks have cost so far.
type exchange struct{ bytes, seconds float64 }

// restoreTeam makes the other ranks read the checkpoint that this one has read.
func (t *Trainer) restoreTeam(dir string) error {
	if t.team == nil {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return t.team.do(order{Do: toRestore, Dir: dir}, func() error {
		return t.team.together(nothing)
	})
}

// led is the leader's method, whose calls the other ranks make, too.
type led struct {
	method.Method
	team *Team
	rows data.Rows // that it learns from
}

// Step implements method.Method.
func (l *led) Step(b method.Minibatch) (stats method.Stats, err error) {
	o := order{Do: toStep, Number: b.Number, Repeat: b.Repeat, Progress: b.Progress}
	err = l.team.do(o, func() (err error) {
		if stats, err = l.Method.Step(b); err != nil && !errors.Is(err, ErrDiverged) {
			return err
		}
		own := said{stored: l.team.own.isStored()}
		all, unread, broken := afterStep(l.team.comm, own, data.Err(l.rows))
		if l.team.err = broken; all.stops && l.team.stop != nil {
			l.team.stop()
		}
		l.team.stored = all.stored
		if unread != nil { // numbers that are not finite come from there
			err = unread
		}
		return errors.Join(err, broken)
	})
	return stats, err
}

// Slow implements method.Method.
func (l *led) Slow(factor float64) {
	_ = l.team.do(order{Do: toSlow, Factor: factor}, func() error { // Step returns the error
		l.Method.Slow(factor)
		return nil
	})
}

// Diagnose implements method.Method.
func (l *led) Diagnose(done float64) (d method.Diagnostics) {
	_ = l.team.do(order{Do: toDiagnose, Progress: done}, func() error { // likewise
		d = l.Method.Diagnose(done)
		return nil
	})
	return d
}

// Latents implements method.Method.
func (l *led) Latents(g *generate.Generator, z []float32, idx []int) {
	_ = l.team.do(order{Do: toLatents, Index: idx}, func() error { // likewise
		l.Method.Latents(g, z, idx)
		return nil
	})
}

// Err implements method.Method.
func (l *led) Err() error {
	l.team.mu.Lock()
	defer l.team.mu.Unlock()
	return errors.Join(l.team.err, l.Method.Err())
}
