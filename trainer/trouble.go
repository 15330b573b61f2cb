package trainer

import (
	"fmt"
	"time"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
)

// trouble is a kind of write that keeps failing while training continues. The user is warned when
// it begins, at intervals, and when it is over.
type trouble struct {
	since  time.Time // of the first failure
	warned time.Time
	times  int
}

const warnEvery = 10 * time.Minute

// inTrouble notes a failure, and warns of it if it is time.
func (t *Trainer) inTrouble(x *trouble, text string) {
	now := time.Now()
	if x.times == 0 {
		x.since = now
	}
	x.times++
	if x.times > 1 && now.Sub(x.warned) < warnEvery {
		return
	}
	x.warned = now
	if x.times > 1 {
		lasts := now.Sub(x.since).Round(time.Second)
		text = fmt.Sprintf("%s (for the %dth time in %v)", text, x.times, lasts)
	}
	t.warn(text)
}

// recovered notes a success, and says so if there was a failure before.
func (t *Trainer) recovered(x *trouble, text string) {
	if x.times > 0 {
		lasted := time.Since(x.since).Round(time.Second)
		t.warn(fmt.Sprintf("%s; failures before: %d, in %v", text, x.times, lasted))
	}
	*x = trouble{}
}

// writeRecord writes an epoch's record. If the file system refuses, the log keeps the record.
func (t *Trainer) writeRecord(e record.Epoch) error {
	err := t.log.Write(e)
	if err != nil && !file.Failed(err) {
		return err
	}
	t.noteLog(err)
	return nil
}

// noteLog notes whether the log could be written.
func (t *Trainer) noteLog(err error) {
	if err != nil {
		t.inTrouble(&t.saving.log,
			fmt.Sprintf("%v; training goes on, and the records are kept in memory", err))
		return
	}
	if waiting, _ := t.log.Waiting(); waiting == 0 {
		t.recovered(&t.saving.log, "metrics.jsonl is written again, with the records that waited")
	}
}

// unlogged says what metrics.jsonl lacks.
func (t *Trainer) unlogged() string {
	waiting, dropped := t.log.Waiting()
	return fmt.Sprintf("%d records of metrics.jsonl are lost", waiting+dropped)
}
