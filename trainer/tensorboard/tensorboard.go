// Package tensorboard writes the records, pictures and latents of a run as event files, which
// TensorBoard shows: `tensorboard --logdir runs`.
//
// An event file is a sequence of records: the length of the data (8 bytes), its checksum, the data,
// and their checksum. Numbers are little-endian, checksums masked CRC-32C. The data are messages
// Event in the encoding of protocol buffers.
package tensorboard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
)

// Dir is the directory of the event files in that of a run.
const Dir = "tensorboard"

// Log writes the event files of one run, one for each session. Failures do not end the run: they
// are told once, what could not be written is left out, and the next event begins a new file.
type Log struct {
	Files file.System
	Warn  func(string) // may be nil

	dir    string
	f      file.File // nil: none is open
	files  int       // opened in this session
	failed bool
}

// Hook returns the functions that a trainer must call. Close must follow.
func (l *Log) Hook() trainer.Hook {
	return trainer.Hook{
		OnStart: func(s trainer.Start) {
			l.dir = filepath.Join(s.Dir, Dir)
			// What an earlier session wrote of steps that this one takes again is void.
			l.write(restarted(time.Now(), s.Step+1))
		},
		OnEpoch:  func(e record.Epoch) { l.write(scalars(e)) },
		OnReport: func(r trainer.Report) { l.write(report(time.Now(), r)) },
	}
}

// Close closes the file.
func (l *Log) Close() error {
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return f.Close()
}

// write appends an event.
func (l *Log) write(event []byte, err error) {
	if err == nil {
		err = l.append(event)
	}
	if err != nil && !l.failed {
		l.failed = true
		if l.Warn != nil {
			l.Warn(fmt.Sprintf("tensorboard: %v; training goes on", err))
		}
	}
}

// append writes a record, in a new file if there is none. A file that may hold a part of a record
// is left as it is: readers stop there.
func (l *Log) append(event []byte) error {
	if l.f == nil {
		if err := l.open(); err != nil {
			return err
		}
	}
	if _, err := l.f.Write(framed(event)); err != nil {
		return errors.Join(err, l.Close())
	}
	return nil
}

// open creates a file with the record that all of them begin with.
func (l *Log) open() error {
	if err := l.Files.Mkdir(l.dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	now := time.Now()
	name := fmt.Sprintf("events.out.tfevents.%010d.%s.%d.%d",
		now.Unix(), filepath.Base(host), os.Getpid(), l.files)
	l.files++
	l.f, err = l.Files.OpenFile(filepath.Join(l.dir, name),
		os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		l.f = nil
		return err
	}
	if _, err := l.f.Write(framed(version(now))); err != nil {
		return errors.Join(err, l.Close())
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum of data, turned and shifted, as the format has it.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// framed is a record.
func framed(data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}
