package metric

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/google/renameio/v2"
)

// Log appends records to metrics.jsonl, one JSON object per line.
type Log struct {
	f *os.File
}

// OpenLog opens the log at path for appending, or creates it; its directory must exist. Records
// beyond resumeStep belong to a continuation that is being redone and are removed (all of them at
// 0), as is a last line torn by a crash; the file is then replaced atomically. Any other line that
// is no record is an error that names file and line.
func OpenLog(path string, resumeStep int) (*Log, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("metric: %w", err)
	}
	kept, err := keepUpTo(text, resumeStep)
	if err != nil {
		return nil, fmt.Errorf("metric: %s:%w", path, err)
	}
	if !bytes.Equal(kept, text) {
		if err := renameio.WriteFile(path, kept, 0o666, beside(path)); err != nil {
			return nil, fmt.Errorf("metric: shortening %s: %w", path, err)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("metric: %w", err)
	}
	return &Log{f}, nil
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

// Write appends a record.
func (l *Log) Write(e Epoch) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("metric: %w", err)
	}
	if _, err := l.f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("metric: %w", err)
	}
	return nil
}

// Close brings the log to the disk and closes it.
func (l *Log) Close() error {
	if err := errors.Join(l.f.Sync(), l.f.Close()); err != nil {
		return fmt.Errorf("metric: %w", err)
	}
	return nil
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
