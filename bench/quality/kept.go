package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// training names a training whose outcome is kept.
type training struct {
	Contestant string `json:"contestant"`
	Precision  string `json:"precision"`
	CPU        string `json:"cpu"`
	Epochs     int    `json:"epochs"`
	Seed       uint64 `json:"seed"`
}

// kept are outcomes of trainings, also in a file, so that an interrupted search goes on where it
// was: a line of JSON for each.
type kept struct {
	file  *os.File // nil: in memory alone
	known map[training]outcome
}

// line is a line of the file.
type line struct {
	training
	outcome
}

// openKept reads the outcomes in a file, to which others are added. A last line that was not
// written to its end is left out.
func openKept(path string) (*kept, error) {
	k := &kept{known: map[training]outcome{}}
	if path == "" {
		return k, nil
	}
	var err error
	if k.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	lines := json.NewDecoder(k.file)
	whole := int64(0)
	for {
		var l line
		err := lines.Decode(&l)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		} else if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: after %d outcomes: %w; expected lines that "+
				"this program wrote: remove the file", path, len(k.known), err), k.file.Close())
		}
		k.known[l.training] = l.outcome
		whole = lines.InputOffset()
	}
	if err = k.file.Truncate(whole); err == nil {
		_, err = k.file.Seek(whole, io.SeekStart)
	}
	return k, err
}

// keep adds an outcome.
func (k *kept) keep(t training, o outcome) error {
	k.known[t] = o
	if k.file == nil {
		return nil
	}
	text, err := json.Marshal(line{t, o})
	if err == nil {
		_, err = k.file.Write(append([]byte("\n"), text...))
	}
	return err
}

func (k *kept) close() error {
	if k.file == nil {
		return nil
	}
	return k.file.Close()
}

// remembering trains once, and returns what is kept afterwards.
func (b *bench) remembering(
	ctx context.Context, c contestant,
) func(epochs int, seed uint64) (outcome, error) {
	return func(epochs int, seed uint64) (outcome, error) {
		t := training{c.name(), string(b.precision), b.cpu, epochs, seed}
		o, ok := b.kept.known[t]
		if !ok {
			var err error
			if o, err = c.train(ctx, epochs, seed); err != nil {
				return o, fmt.Errorf("%s, %d epochs, seed %d: %w", c.name(), epochs, seed, err)
			}
			if err := b.kept.keep(t, o); err != nil {
				return o, err
			}
		}
		b.tell(t, o, ok)
		return o, nil
	}
}
