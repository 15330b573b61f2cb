package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The numbers of the formats that this package writes, the only ones that it reads: that of a
// single process, and that of several, which has shards.
const currentFormat, shardedFormat = 3, 4

const (
	stateName = "state.safetensors"
	metaName  = "meta.json"
)

// ErrDamaged is wrapped by the errors of checkpoints whose files are missing, truncated, changed
// since they were saved, or unreadable.
var ErrDamaged = errors.New("damaged")

// Meta describes the run that a checkpoint belongs to, and where it resumes. Step is the number of
// training steps done; Epoch, Batch and Repeat (all from 0) are the position of the next one.
type Meta struct {
	Format      int     `json:"format"`  // set by Writer
	Version     string  `json:"version"` // of the program
	Saved       int     `json:"saved"`   // number of checkpoints saved so far; set by Writer
	Method      string  `json:"method"`
	Step        int     `json:"step"`
	Epoch       int     `json:"epoch"`
	Batch       int     `json:"batch"`
	Repeat      int     `json:"repeat"`
	Seconds     float64 `json:"seconds"`      // wall time of training so far
	StepSeconds float64 `json:"step_seconds"` // part of Seconds spent in steps
	Stalled     float64 `json:"stalled"`      // part of Seconds spent waiting for checkpoints
	Evaluations float64 `json:"evaluations"`  // evaluations of networks so far
	Seed        uint64  `json:"seed"`
	Data        string  `json:"data"`
	Fingerprint string  `json:"fingerprint"` // of the data; a resumed run refuses other data
	Config      string  `json:"config"`      // the resolved configuration, as TOML
	Slowed      Slowed  `json:"slowed,omitzero"`

	// Levels are sums over the epoch under way: draws, losses and unlearned losses by noise level
	// (diffusion.Levels).
	Levels [3][8]float64 `json:"levels,omitzero"`

	// Imported says what the checkpoint lacks, if it was made from an export: "particles, and a
	// state to resume from".
	Imported string `json:"imported_without,omitempty"`
}

// explain adds to the error of missing tensors that, and why, an imported checkpoint lacks them.
func (m Meta) explain(err error) error {
	if m.Imported == "" {
		return err
	}
	return fmt.Errorf("it was imported from an export, without %s: %w", m.Imported, err)
}

// metaFile is the content of meta.json except its seal.
type metaFile struct {
	Meta
	StateBytes int64  `json:"state_bytes"`  // the size of state.safetensors
	SHA256     string `json:"state_sha256"` // of state.safetensors, in hexadecimal

	Shards []Shard `json:"shards,omitempty"` // in the order of their rows
}

// The last line of meta.json before the closing brace is its seal: the SHA-256 of all bytes before
// that line. Every format must have it, so that damage is not mistaken for a newer format.
const (
	sealBegin = `  "meta_sha256": "`
	sealEnd   = "\"\n}\n"
	sealBytes = len(sealBegin) + 2*sha256.Size + len(sealEnd)
)

// maxMeta limits the size of a meta.json that is read. Those that are written have a few KB.
const maxMeta = 1 << 20

// encode returns the bytes of meta.json.
func (m metaFile) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return seal(append(bytes.TrimSuffix(text, []byte("\n}")), ",\n"...)), nil
}

// seal completes a JSON object, whose text must end after a comma, with its checksum.
func seal(text []byte) []byte {
	return append(text, sealBegin+hexSum(text)+sealEnd...)
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// readMeta reads dir/meta.json.
func readMeta(dir string) (metaFile, error) {
	path := filepath.Join(dir, metaName)
	raw, err := readSmall(path)
	if err != nil {
		return metaFile{}, fmt.Errorf("checkpoint: %w: %w", ErrDamaged, err)
	}
	m, err := parseMeta(raw)
	if err != nil {
		return metaFile{}, fmt.Errorf("checkpoint: %s: %w", path, err)
	}
	return m, nil
}

// readSmall reads a regular file of at most maxMeta bytes.
func readSmall(path string) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxMeta {
		return nil, fmt.Errorf("%s: %d bytes, expected at most %d", path, size, maxMeta)
	}
	return io.ReadAll(io.LimitReader(f, maxMeta))
}

// openRegular opens a regular file for reading. It refuses other files, such as named pipes, which
// could block.
func openRegular(path string) (f *os.File, size int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: not a regular file", path)
	}
	f, err = os.Open(path)
	return f, info.Size(), err
}

// parseMeta decodes and checks the content of meta.json.
func parseMeta(raw []byte) (metaFile, error) {
	if err := checkSeal(raw); err != nil {
		return metaFile{}, err
	}
	var head struct {
		Format  int
		Version string
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return metaFile{}, fmt.Errorf("%w: expected the JSON of a checkpoint: %w", ErrDamaged, err)
	}
	if err := checkFormat(head.Format, head.Version); err != nil {
		return metaFile{}, err
	}
	var m metaFile
	if err := json.Unmarshal(raw, &m); err != nil {
		return metaFile{}, fmt.Errorf("%w: expected the JSON of a checkpoint: %w", ErrDamaged, err)
	}
	return m, m.check()
}

// check returns an error for values that Writer never writes.
func (m metaFile) check() error {
	if m.Step < 0 || m.Epoch < 0 || m.Batch < 0 || m.Repeat < 0 {
		return fmt.Errorf("%w: step %d, epoch %d, batch %d, repeat %d: expected none below 0",
			ErrDamaged, m.Step, m.Epoch, m.Batch, m.Repeat)
	}
	if len(m.SHA256) != 2*sha256.Size || m.StateBytes < 0 {
		return fmt.Errorf(
			"%w: state_sha256 %q of %d state_bytes, expected %d hexadecimal digits and a size",
			ErrDamaged, m.SHA256, m.StateBytes, 2*sha256.Size)
	}
	return checkShards(m.Shards)
}

// checkSeal returns an error if the content was changed since it was sealed.
func checkSeal(raw []byte) error {
	cut := len(raw) - sealBytes
	if cut < 0 || !bytes.HasPrefix(raw[cut:], []byte(sealBegin)) ||
		!bytes.HasSuffix(raw, []byte(sealEnd)) {
		return unsealed(raw)
	}
	want := string(raw[cut+len(sealBegin):][:2*sha256.Size])
	if got := hexSum(raw[:cut]); got != want {
		return fmt.Errorf(
			"%w: changed since it was saved: its SHA-256 is %s, its last line says %s",
			ErrDamaged, got, want)
	}
	return nil
}

// unsealed returns the error of content without a seal. Format 1 had none.
func unsealed(raw []byte) error {
	var old struct {
		Format  int
		Version string
		Seal    *string `json:"meta_sha256"`
	}
	if json.Unmarshal(raw, &old) == nil && old.Format == 1 && old.Seal == nil {
		return checkFormat(old.Format, old.Version)
	}
	return fmt.Errorf(
		"%w: %d bytes that do not end with the checksum meta_sha256, as if cut short or changed",
		ErrDamaged, len(raw))
}

// checkFormat returns an error for other formats.
func checkFormat(format int, version string) error {
	if format == currentFormat || format == shardedFormat {
		return nil
	}
	remedy := "that version"
	if format > shardedFormat {
		remedy += " or a newer one"
	}
	return fmt.Errorf("format %d, written by plume %s; this plume reads formats %d and %d: use %s",
		format, version, currentFormat, shardedFormat, remedy)
}
