package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// The log of a run of many epochs is long, so the functions below read it a line at a time.

// eachRecord calls f with each line of r, newline included, that is a record of the given step or
// an earlier one. It skips a last line torn by a crash; any other line that is not a record is an
// error. Errors begin with the line's number.
func eachRecord(r io.Reader, step int, f func(line []byte) error) error {
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%d: %w", number, err)
		}
		var record struct{ Step *int }
		if err := json.Unmarshal(line, &record); err != nil {
			if _, end := lines.Peek(1); errors.Is(end, io.EOF) {
				return nil // torn
			}
			return fmt.Errorf("%d: expected a JSON object: %w", number, err)
		}
		if record.Step == nil {
			return fmt.Errorf("%d: expected a record with the key \"step\"", number)
		}
		if *record.Step > step {
			continue
		}
		if err := f(append(bytes.TrimSuffix(line, []byte("\n")), '\n')); err != nil {
			return fmt.Errorf("%d: %w", number, err)
		}
	}
}

// recordBytes returns the size of the log at path, and of its records up to a step: 0 if there is
// no such file.
func recordBytes(path string, step int) (kept, size int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("record: %w", err)
	}
	defer f.Close()
	err = eachRecord(f, step, func(line []byte) error { kept += int64(len(line)); return nil })
	if err != nil {
		return 0, 0, fmt.Errorf("record: %s:%w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, 0, fmt.Errorf("record: %w", err)
	}
	return kept, info.Size(), nil
}

// copyRecords copies the records up to a step in the first size bytes of the log at path to w, and
// returns the number of bytes written.
func copyRecords(w io.Writer, path string, size int64, step int) (n int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	err = eachRecord(io.LimitReader(f, size), step, func(line []byte) error {
		n += int64(len(line))
		_, err := w.Write(line)
		return err
	})
	return n, err
}
