package trainer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
)

var kills = flag.Int("kills", 12, "how often TestKilled kills its run")

// The environment variables of a process that is to be killed.
const (
	killedDir     = "PLUME_TEST_KILLED_DIR"     // directory of the run
	killedThreads = "PLUME_TEST_KILLED_THREADS" // also decides when it saves
	killedEpochs  = "PLUME_TEST_KILLED_EPOCHS"
	killedRanks   = "PLUME_TEST_KILLED_RANKS" // in the process; 0: one, of a run without lanes
	killedAt      = "PLUME_TEST_KILLED_AT"    // kill itself in this file operation, from 1; 0: none
)

// killedRun is the configuration of the run of TestKilled.
func killedRun(epochs, threads, ranks int) config.Config {
	c := smallRun()
	if ranks > 0 {
		c.Lanes = 8
	}
	c.Epochs, c.Threads, c.EvalEvery, c.KeepCheckpoints = epochs, threads, 40, 2
	c.CheckpointEvery = config.EveryEpochs(1)
	if threads == 2 {
		c.CheckpointEvery = config.Every{Time: 5 * time.Millisecond}
	}
	return c
}

// temporary matches the prefix that the name of a file or checkpoint has until it is complete.
var temporary = regexp.MustCompile(`^\.tmp-([A-Z0-9]{8}-)?`)

// runToBeKilled starts or resumes the run in dir, in a process of its own.
func runToBeKilled(dir string) {
	number := func(name string) int {
		n, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return n
	}
	last := number(killedAt)
	sys := &faultfs.System{Fault: func(op faultfs.Op) error {
		if op.Number == last {
			name := temporary.ReplaceAllString(filepath.Base(op.Path), "")
			fmt.Println("killed in", op.Kind, strings.TrimRight(name, "0123456789"))
			killSelf()
		}
		return nil
	}}
	ranks := number(killedRanks)
	c := killedRun(number(killedEpochs), number(killedThreads), ranks)
	opts, dismiss := []Option{on(sys)}, func() error { return nil }
	if ranks > 1 {
		all := comm.Local(ranks)
		for _, r := range all[1:] {
			go (&follower{ctx: context.Background(), comm: r, every: beat, files: sys}).serve()
		}
		team := Lead(all[0], beat)
		opts, dismiss = append(opts, WithTeam(team)), func() error { return team.Dismiss(0) }
	}
	var t *Trainer
	_, err := checkpoint.Latest(dir)
	if fresh := err != nil && strings.Contains(err.Error(), "none found"); fresh {
		if err = os.RemoveAll(dir); err == nil {
			err = os.Mkdir(dir, 0o777)
		}
		if err == nil {
			t, err = New(context.Background(), c, dir, opts...)
		}
	} else if err == nil { // a damaged newest one is an error here
		t, err = Resume(context.Background(), dir, c, opts...)
	}
	if err == nil {
		fmt.Println("running")
		err = t.Run(context.Background())
		if closing := errors.Join(t.Close(), dismiss()); err == nil {
			err = closing
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// life is one process of the run.
type life struct {
	at         int           // killed in this file operation; 0: by the clock
	whole      bool          // never killed
	after      time.Duration // killed after this time of training
	fromStart  bool          // after counts from the start of the process instead
	dir        string
	epochs     int
	threads    int
	ranks      int
	where      string // the operation in which it was killed; empty: by the clock
	wasKilled  bool
	complaints string // its standard error
}

func (l *life) live(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedDir+"="+l.dir, killedThreads+"="+strconv.Itoa(l.threads),
		killedEpochs+"="+strconv.Itoa(l.epochs), killedAt+"="+strconv.Itoa(l.at),
		killedRanks+"="+strconv.Itoa(l.ranks))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	clock := l.at == 0 && !l.whole
	kill := func() { time.AfterFunc(l.after, func() { _ = cmd.Process.Kill() }) }
	if clock && l.fromStart {
		kill()
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if clock && !l.fromStart && lines.Text() == "running" {
			kill()
		}
		if where, ok := strings.CutPrefix(lines.Text(), "killed in "); ok {
			l.where = where
		}
	}
	err = cmd.Wait()
	l.complaints = stderr.String()
	if l.wasKilled = err != nil && cmd.ProcessState.ExitCode() == -1; err != nil && !l.wasKilled {
		t.Fatalf("%v: %s", err, l.complaints)
	}
}

// A run is killed again and again, mostly while it saves, and resumed each time with another number
// of threads. It ends with the bits of an uninterrupted one, and with each record once. The newest
// checkpoint is never damaged, nor older than before.
func TestKilled(t *testing.T) {
	killAll(t, *kills, func(i int) life { return life{threads: 1 + i%3} })
}

// The same of a run that goes on with another number of ranks each time. They share the process,
// and are killed together.
func TestKilledRanks(t *testing.T) {
	killAll(t, (*kills+1)/2, func(i int) life {
		return life{threads: 1 + i%3, ranks: 2 << (i % 3)}
	})
}

// killAll kills a run so often. The next one says with what each life trains.
func killAll(t *testing.T, kills int, next func(i int) life) {
	epochs := 3*kills + 10
	want := train(t, killedRun(epochs, 1, next(0).ranks))
	random := rand.New(rand.NewPCG(12, uint64(kills)))
	dir := filepath.Join(t.TempDir(), "run")
	where, killed, newest := map[string]int{}, 0, 0
	for i := 0; killed < kills; i++ {
		l := next(i)
		l.dir, l.epochs = dir, epochs
		switch i % 4 {
		case 0:
			l.after = time.Duration(random.Int64N(int64(60 * time.Millisecond)))
		case 1:
			l.after, l.fromStart = time.Duration(random.Int64N(int64(200*time.Millisecond))), true
		default:
			// Some 20 operations to resume, and for each checkpoint some 25, and as many for ranks.
			l.at = 1 + random.IntN(90*max(1, l.ranks))
		}
		l.live(t)
		if !l.wasKilled {
			t.Fatalf("the run ended after %d kills, before all %d", killed, kills)
		}
		killed++
		where[l.where]++
		newest = checkNewest(t, dir, newest)
	}
	last := next(1)
	last.dir, last.epochs, last.whole = dir, epochs, true
	last.live(t)
	sameTraining(t, "a killed run", dir, want)
	if last.ranks == 0 && !bytes.Equal(finalState(t, dir), finalState(t, want)) {
		t.Error("another final state than that of an uninterrupted run")
	}
	for _, pattern := range []string{".tmp-*", "*/.tmp-*"} {
		if left, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("temporary files are left: %v, %v", left, err)
		}
	}
	places := make([]string, 0, len(where))
	for place, n := range where {
		if place == "" {
			place = "by the clock"
		}
		places = append(places, fmt.Sprintf("%4d %s", n, place))
	}
	slices.Sort(places)
	slices.Reverse(places)
	t.Logf("%d kills of a run of %d steps:\n%s",
		killed, epochs*runBatches*runRepeats, strings.Join(places, "\n"))
}

// checkNewest returns the step of the newest checkpoint, which must be whole and of the step before
// or a later one.
func checkNewest(t *testing.T, dir string, before int) int {
	t.Helper()
	all, err := checkpoint.List(dir)
	if err != nil || len(all) == 0 {
		if before > 0 {
			t.Fatalf("no checkpoint is left: %v", err)
		}
		return 0
	}
	if err := checkpoint.Verify(t.Context(), all[0].Dir); err != nil {
		t.Fatal(err)
	}
	if all[0].Step < before {
		t.Fatalf("the newest checkpoint was of step %d and is of step %d", before, all[0].Step)
	}
	return all[0].Step
}
