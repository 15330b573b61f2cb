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

// Format is the number of the layout that this package writes, and the only one it reads.
const Format = 2

const (
	stateName = "state.safetensors"
	metaName  = "meta.json"
)

// ErrDamaged is wrapped by the error of a checkpoint that is not what was saved: files missing,
// shorter, changed, or unreadable.
var ErrDamaged = errors.New("damaged")

// Meta says what a checkpoint's arrays belong to and where the run goes on. Step counts the
// training steps taken; Epoch, Batch and Repeat (all from 0) are the position of the next one.
type Meta struct {
	Format      int     `json:"format"`  // set by Writer
	Version     string  `json:"version"` // of the program
	Saved       int     `json:"saved"`   // how many the run had saved with this one; set by Writer
	Method      string  `json:"method"`
	Step        int     `json:"step"`
	Epoch       int     `json:"epoch"`
	Batch       int     `json:"batch"`
	Repeat      int     `json:"repeat"`
	Seconds     float64 `json:"seconds"`      // training wall time so far
	StepSeconds float64 `json:"step_seconds"` // of them, in steps
	Stalled     float64 `json:"stalled"`      // of them, held up by checkpoints
	Evaluations float64 `json:"evaluations"`  // of networks so far
	Seed        uint64  `json:"seed"`
	Data        string  `json:"data"`
	Fingerprint string  `json:"fingerprint"` // of the data: a resumed run refuses any other
	Config      string  `json:"config"`      // the resolved configuration, as TOML
	Slowed      Slowed  `json:"slowed,omitzero"`
}

// metaFile is the content of meta.json but for its seal.
type metaFile struct {
	Meta
	StateBytes int64  `json:"state_bytes"`  // the size of state.safetensors
	SHA256     string `json:"state_sha256"` // of state.safetensors, in hexadecimal
}

// The last line of meta.json but for the closing brace is its seal: the SHA-256 of all bytes before
// that line. Every format keeps it, so that damage is never taken for a format of the future.
const (
	sealBegin = `  "meta_sha256": "`
	sealEnd   = "\"\n}\n"
	sealBytes = len(sealBegin) + 2*sha256.Size + len(sealEnd)
)

// maxMeta is the largest meta.json that is read; ours have some KB.
const maxMeta = 1 << 20

// encode returns the bytes of meta.json.
func (m metaFile) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return seal(append(bytes.TrimSuffix(text, []byte("\n}")), ",\n"...)), nil
}

// seal ends the text of a JSON object, open after its last comma, with its checksum.
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

// openRegular opens a file for reading, but neither a directory nor what could block, such as a
// named pipe.
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

// check reports values that Writer never writes.
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
	return nil
}

// checkSeal reports content that was changed since it was sealed.
func checkSeal(raw []byte) error {
	cut := len(raw) - sealBytes
	if cut < 0 || !bytes.HasPrefix(raw[cut:], []byte(sealBegin)) ||
		!bytes.HasSuffix(raw, []byte(sealEnd)) {
		return unsealed(raw)
	}
	said := string(raw[cut+len(sealBegin):][:2*sha256.Size])
	if got := hexSum(raw[:cut]); got != said {
		return fmt.Errorf("%w: changed since it was saved: its SHA-256 is %s, its last line says %s",
			ErrDamaged, got, said)
	}
	return nil
}

// unsealed is the error of content that does not end with a seal, as format 1 did not.
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

// checkFormat refuses the formats of other versions.
func checkFormat(format int, version string) error {
	switch {
	case format > Format:
		return fmt.Errorf("format %d, written by plume %s; this plume reads format %d: use that "+
			"version or a newer one",
			format, version, Format)
	case format < Format:
		return fmt.Errorf(
			"format %d, written by plume %s; this plume reads format %d: use that version",
			format, version, Format)
	}
	return nil
}
