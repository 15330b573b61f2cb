package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/file"
)

const panicMeta = "checkpoint: negative step, epoch, batch or repeat"

// Writer saves the checkpoints of one run, one after another.
type Writer struct {
	Files  file.System
	RunDir string // which must exist
	// Keep > 0 removes all checkpoints older than the newest Keep whole ones.
	Keep int
	// Shards, unless nil, makes every process write its rows of tensors with Of > 0 to a file in
	// dir (BeginShard). Commit calls what it returns, which waits until all have stored their
	// files, and returns these in the order of their rows.
	Shards func(dir string) (stored func() ([]Shard, error), err error)

	saved  int        // largest Meta.Saved of the run; 0: not determined yet
	redone *abandoned // checkpoints to be removed; nil: none
}

// Pending is a checkpoint whose state has been written but is neither durable nor visible to
// readers yet.
type Pending struct {
	w        *Writer
	meta     metaFile    // without the SHA-256
	crc      hash.Hash32 // of the state as written
	tmp, dir string
	files    []file.File // still open
	stored   func() ([]Shard, error)
	best     bool
}

// Begin takes a snapshot of the tensors by writing them to the file system's cache. When it
// returns, the live state may change again. Every successful Begin must be followed by a Commit,
// which another goroutine may call, or a Discard before the next Begin.
//
// Errors are those of the file system, with the path. Malformed tensors panic.
func (w *Writer) Begin(meta Meta, tensors []Tensor) (*Pending, error) {
	if meta.Step < 0 || meta.Epoch < 0 || meta.Batch < 0 || meta.Repeat < 0 {
		panic(panicMeta)
	}
	tensors = split(tensors)
	check(tensors)
	root := filepath.Join(w.RunDir, rootName)
	name := stepName(meta.Step)
	p := &Pending{w: w, crc: crc32.New(castagnoli), tmp: filepath.Join(root, tmpPrefix+name),
		dir: filepath.Join(root, name)}
	err := w.prepare(root)
	if err == nil {
		if w.redone != nil && w.redone.last == 0 {
			w.redone.last = w.saved
		}
		meta.Format, meta.Saved = currentFormat, w.saved+1
		p.meta.Meta = meta
		err = p.fill(tensors)
	}
	if err != nil {
		return nil, p.abort(err)
	}
	w.saved++
	return p, nil
}

// prepare creates the directory of checkpoints or, if it exists, removes what a killed process left
// there.
func (w *Writer) prepare(root string) error {
	err := w.Files.Mkdir(root, 0o777)
	if err == nil {
		return w.Files.SyncDir(w.RunDir)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := clearStale(w.Files, root); err != nil {
		return err
	}
	if w.saved == 0 {
		all, err := List(w.RunDir)
		if err != nil {
			return err
		}
		for _, c := range all {
			w.saved = max(w.saved, c.Meta.Saved)
		}
	}
	return nil
}

// castagnoli is a checksum for which CPUs have an instruction. It takes a tenth of the time of
// SHA-256, which is computed later so that training does not wait for it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// fill writes the state to the new directory p.tmp.
func (p *Pending) fill(tensors []Tensor) error {
	if err := p.w.Files.Mkdir(p.tmp, 0o777); err != nil {
		return err
	}
	size := counter(0)
	err := p.create(stateName, func(w io.Writer) error {
		return writeSafetensors(io.MultiWriter(w, p.crc, &size), shared(tensors))
	})
	p.meta.StateBytes = int64(size)
	if err == nil && p.w.Shards != nil {
		p.meta.Format = shardedFormat
		p.stored, err = p.w.Shards(p.tmp)
	}
	return err
}

// writeMeta reads the state back for its SHA-256, and writes meta.json, when all processes have
// stored what they have.
func (p *Pending) writeMeta() (err error) {
	p.meta.SHA256, err = readBack(filepath.Join(p.tmp, stateName), p.crc.Sum32())
	if p.stored != nil { // even then: others must not be writing still when the directory goes
		shards, failed := p.stored()
		p.meta.Shards, err = shards, errors.Join(err, failed)
	}
	if err != nil {
		return err
	}
	text, err := p.meta.encode()
	if err != nil {
		return err
	}
	return p.create(metaName, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// readBack returns the SHA-256 of a file, unless its checksum shows that it was not written so.
func readBack(path string, crc uint32) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, got := sha256.New(), crc32.New(castagnoli)
	if _, err := io.Copy(io.MultiWriter(sum, got), f); err != nil {
		return "", err
	}
	if got.Sum32() != crc {
		return "", &fs.PathError{Op: "read", Path: path, Err: errChanged}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

var errChanged = errors.New("not what was written")

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// create creates a file in p.tmp, calls write to fill it, and leaves it open.
func (p *Pending) create(name string, write func(io.Writer) error) error {
	path := filepath.Join(p.tmp, name)
	f, err := p.w.Files.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	p.files = append(p.files, f)
	return write(f)
}

// Commit makes the checkpoint durable and returns its directory, RunDir/checkpoints/step-%06d,
// which appears complete or not at all. It replaces a checkpoint of the same step, makes "latest"
// refer to the new one, and removes old checkpoints. If only the removal fails, Commit returns the
// directory together with the error.
//
// After any other error the caller has to start again with Begin, since the effect of a failed sync
// on the files is unknown.
func (p *Pending) Commit() (dir string, err error) {
	if err := p.commit(); err != nil {
		return "", p.abort(err)
	}
	root, name := filepath.Split(p.dir)
	if p.best { // before latest: a process that ends in between redoes the steps up to this one
		if err := p.w.pointBest(filepath.Clean(root), name); err != nil {
			return "", fmt.Errorf("checkpoint: pointing %s to %s: %w", BestName, p.dir, err)
		}
	}
	if err := pointLatest(p.w.Files, filepath.Clean(root), name); err != nil {
		return "", fmt.Errorf("checkpoint: pointing %s to %s: %w", latestName, p.dir, err)
	}
	err = p.w.removeAbandoned() // before prune, which would count them
	if err == nil {
		err = p.w.prune(name)
	}
	if err != nil {
		return p.dir, fmt.Errorf("checkpoint: removing old checkpoints: %w", err)
	}
	return p.dir, nil
}

func (p *Pending) commit() error {
	if err := p.writeMeta(); err != nil {
		return err
	}
	for _, f := range p.files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if err := p.close(); err != nil {
		return err
	}
	if err := p.w.Files.SyncDir(p.tmp); err != nil {
		return err
	}
	return replaceDir(p.w.Files, p.tmp, p.dir)
}

// Discard removes what was written. The run's checkpoints stay as they are.
func (p *Pending) Discard() error {
	if err := errors.Join(p.close(), p.w.Files.RemoveAll(p.tmp)); err != nil {
		return fmt.Errorf("checkpoint: discarding %s: %w", p.tmp, err)
	}
	return nil
}

// abort removes what was written, and adds the directory to the error.
func (p *Pending) abort(err error) error {
	err = errors.Join(err, p.close(), p.w.Files.RemoveAll(p.tmp))
	return fmt.Errorf("checkpoint: saving %s: %w", p.dir, err)
}

func (p *Pending) close() (err error) {
	for _, f := range p.files {
		err = errors.Join(err, f.Close())
	}
	p.files = nil
	return err
}
