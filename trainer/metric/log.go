package metric

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"

	"github.com/plume-ml/plume/trainer/file"
)

// Log appends records to metrics.jsonl, one JSON object per line. Records that cannot be written are
// kept until they can, and then the file is written anew: after a failure, what the system has of
// the old one is not known.
type Log struct {
	files file.System
	path  string

	mu      sync.Mutex // Sync may run beside Write
	f       file.File  // nil after a failure
	size    int64      // of the records in the file, which is longer where one is torn
	synced  int64      // how much of that is durable
	waiting [][]byte   // lines not yet in the file
	lost    int        // records that waiting had no room for
	upTo    int        // later steps in the file are to be removed from it when it is written anew
	closed  bool
}

// maxWaiting is how many records wait for the disk; half a kilobyte each.
const maxWaiting = 1 << 15

// OpenLog opens the log at path for appending, or creates it; its directory must exist. Records
// beyond resumeStep belong to a continuation that is being redone and are removed (all of them at
// 0), as is a last line torn by a crash; the file is then replaced atomically. Any other line that
// is no record is an error that names file and line.
func OpenLog(files file.System, path string, resumeStep int) (*Log, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("metric: %w", err)
	}
	kept, err := keepUpTo(text, resumeStep)
	if err != nil {
		return nil, fmt.Errorf("metric: %s:%w", path, err)
	}
	if !bytes.Equal(kept, text) {
		if err := file.WriteBytes(files, path, kept); err != nil {
			return nil, fmt.Errorf("metric: shortening %s: %w", path, err)
		}
	}
	l := &Log{files: files, path: path, size: int64(len(kept)), upTo: math.MaxInt}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("metric: %w", err)
	}
	return l, nil
}

func (l *Log) open() (err error) {
	l.f, err = l.files.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	return err
}

// keepUpTo returns the lines of records up to a step. Its errors begin with the line's number.
func keepUpTo(text []byte, step int) (kept []byte, err error) {
	for number := 1; len(text) > 0; number++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		var record struct{ Step *int }
		err := json.Unmarshal(line, &record)
		switch {
		case err != nil && len(rest) == 0:
			return kept, nil // torn
		case err != nil:
			return nil, fmt.Errorf("%d: expected a JSON object: %w", number, err)
		case record.Step == nil:
			return nil, fmt.Errorf("%d: expected a record with the key \"step\"", number)
		case *record.Step <= step:
			kept = append(append(kept, line...), '\n')
		}
	}
	return kept, nil
}

// Write appends a record. After an error of the file system the record waits: the next Write or
// Sync tries again.
func (l *Log) Write(e Epoch) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("metric: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, append(line, '\n'))
	if len(l.waiting) > maxWaiting {
		l.waiting = l.waiting[1:]
		l.lost++
	}
	return l.flush()
}

// Rewind removes the records beyond a step, which are of a continuation that is being redone. After
// an error of the file system they are removed by the next Write or Sync that succeeds.
func (l *Log) Rewind(step int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept, err := keepUpTo(bytes.Join(l.waiting, nil), step)
	if err != nil {
		return fmt.Errorf("metric: records that wait: %w", err)
	}
	l.waiting, l.upTo = slices.Collect(bytes.Lines(kept)), min(l.upTo, step)
	if l.f != nil {
		l.abandon() // so that the file is written anew
	}
	return l.flush()
}

// Waiting is the number of records that could not be written yet, and of those that were dropped
// since more than the log keeps were waiting.
func (l *Log) Waiting() (waiting, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting), l.lost
}

func (l *Log) flush() error {
	if l.closed {
		return fmt.Errorf("metric: %s: %w", l.path, os.ErrClosed)
	}
	if l.f == nil {
		if err := l.rewrite(); err != nil {
			return fmt.Errorf("metric: writing %s: %w", l.path, err)
		}
	}
	if len(l.waiting) == 0 {
		return nil
	}
	lines := bytes.Join(l.waiting, nil)
	if _, err := l.f.Write(lines); err != nil {
		l.abandon()
		return fmt.Errorf("metric: %w", err)
	}
	l.size += int64(len(lines))
	l.waiting = nil
	return nil
}

// abandon closes the file, for good or after a failure that is reported.
func (l *Log) abandon() {
	_ = l.f.Close()
	l.f = nil
}

// rewrite puts a new file with the records of the old one and those that wait in its place.
func (l *Log) rewrite() error {
	text, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	text, err = keepUpTo(text[:min(l.size, int64(len(text)))], l.upTo)
	if err != nil {
		return err
	}
	text = append(text, bytes.Join(l.waiting, nil)...)
	if err := file.WriteBytes(l.files, l.path, text); err != nil {
		return err
	}
	l.size, l.synced, l.waiting, l.upTo = int64(len(text)), int64(len(text)), nil, math.MaxInt
	return l.open()
}

// Sync makes the records written so far durable. Records may be written meanwhile.
func (l *Log) Sync() error {
	l.mu.Lock()
	err := l.flush()
	f, size, synced := l.f, l.size, l.synced
	l.mu.Unlock()
	if err != nil || size == synced {
		return err
	}
	err = f.Sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.synced = max(l.synced, size)
		return nil
	case l.f == f:
		l.abandon()
	}
	return fmt.Errorf("metric: %w", err)
}

// Close brings the log to the disk and closes it.
func (l *Log) Close() error {
	err := l.Sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		l.abandon() // all of it is durable, or err says otherwise
	}
	l.closed = true
	return err
}

// ReadLog reads the records of a closed or growing log. A torn last line is left out.
func ReadLog(path string) ([]Epoch, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("metric: %w", err)
	}
	whole, err := keepUpTo(text, math.MaxInt)
	if err != nil {
		return nil, fmt.Errorf("metric: %s:%w", path, err)
	}
	var records []Epoch
	for line := range bytes.Lines(whole) {
		var e Epoch
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("metric: %s: record %d: %w", path, len(records)+1, err)
		}
		records = append(records, e)
	}
	return records, nil
}
