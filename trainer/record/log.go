package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"github.com/plume-ml/plume/trainer/file"
)

// Log appends records to metrics.jsonl, one JSON object per line. Records that cannot be written
// wait in memory and are written later. The file is then rewritten, since its content is unknown
// after a failure.
type Log struct {
	files file.System
	path  string

	mu      sync.Mutex // Sync may run beside Write
	f       file.File  // nil after a failure
	size    int64      // of the whole records in the file; a torn one may follow them
	synced  int64      // the part of size that is durable
	waiting [][]byte   // lines not yet in the file
	lost    int        // records dropped because too many were waiting
	upTo    int        // the next rewrite removes the records of later steps
	closed  bool
}

// maxWaiting limits the number of records that wait for the disk, of about half a kilobyte each.
const maxWaiting = 1 << 15

// OpenLog opens the log at path for appending, or creates it; its directory must exist. It removes
// records beyond resumeStep, which the run will write again (at 0 all of them), and a last line
// torn by a crash; the file is then replaced atomically. Any other line that is not a record is an
// error that names file and line.
func OpenLog(files file.System, path string, resumeStep int) (*Log, error) {
	kept, size, err := recordBytes(path, resumeStep)
	if err != nil {
		return nil, err
	}
	if kept != size {
		err := file.Write(files, path, func(w io.Writer) error {
			_, err := copyRecords(w, path, size, resumeStep)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("record: shortening %s: %w", path, err)
		}
	}
	l := &Log{files: files, path: path, size: kept, upTo: math.MaxInt}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return l, nil
}

func (l *Log) open() (err error) {
	l.f, err = l.files.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	return err
}

// Write appends a record. After an error of the file system the record waits: the next Write or
// Sync tries again.
func (l *Log) Write(e Epoch) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("record: %w", err)
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

// Rewind removes the records beyond a step, which the run will write again. After an error of the
// file system, the next Write or Sync that succeeds removes them.
func (l *Log) Rewind(step int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept [][]byte
	err := eachRecord(bytes.NewReader(bytes.Join(l.waiting, nil)), step, func(line []byte) error {
		kept = append(kept, line)
		return nil
	})
	if err != nil {
		return fmt.Errorf("record: records that wait: %w", err)
	}
	l.waiting, l.upTo = kept, min(l.upTo, step)
	if l.f != nil {
		l.abandon() // so that the file is rewritten
	}
	return l.flush()
}

// Waiting returns the number of records that could not be written yet, and of those that were
// dropped because more were waiting than the log keeps.
func (l *Log) Waiting() (waiting, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting), l.lost
}

func (l *Log) flush() error {
	if l.closed {
		return fmt.Errorf("record: %s: %w", l.path, os.ErrClosed)
	}
	if l.f == nil {
		if err := l.rewrite(); err != nil {
			return fmt.Errorf("record: writing %s: %w", l.path, err)
		}
	}
	if len(l.waiting) == 0 {
		return nil
	}
	lines := bytes.Join(l.waiting, nil)
	if _, err := l.f.Write(lines); err != nil {
		l.abandon()
		return fmt.Errorf("record: %w", err)
	}
	l.size += int64(len(lines))
	l.waiting = nil
	return nil
}

// abandon closes the file, at the end or after a failure. Its error would add nothing.
func (l *Log) abandon() {
	_ = l.f.Close()
	l.f = nil
}

// rewrite replaces the file by a new one with its records and those that wait.
func (l *Log) rewrite() error {
	waiting := bytes.Join(l.waiting, nil)
	var size int64
	err := file.Write(l.files, l.path, func(w io.Writer) error {
		kept, err := copyRecords(w, l.path, l.size, l.upTo)
		if err != nil {
			return err
		}
		size = kept + int64(len(waiting))
		_, err = w.Write(waiting)
		return err
	})
	if err != nil {
		return err
	}
	l.size, l.synced, l.waiting, l.upTo = size, size, nil, math.MaxInt
	return l.open()
}

// Sync makes the records written so far durable. Write may be called at the same time.
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
	return fmt.Errorf("record: %w", err)
}

// Close makes the log durable and closes it.
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
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	defer f.Close()
	var records []Epoch
	err = eachRecord(f, math.MaxInt, func(line []byte) error {
		records = append(records, Epoch{})
		return json.Unmarshal(line, &records[len(records)-1])
	})
	if err != nil {
		return nil, fmt.Errorf("record: %s:%w", path, err)
	}
	return records, nil
}
