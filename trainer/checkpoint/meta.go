package checkpoint

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Format is the number of the layout that this package writes, and the only one it reads.
const Format = 1

const (
	stateName = "state.safetensors"
	metaName  = "meta.json"
)

// Meta says what a checkpoint's arrays belong to and where the run goes on. Step counts the
// training steps taken; Epoch, Batch and Repeat (all from 0) are the position of the next one.
type Meta struct {
	Format      int     `json:"format"` // set by Save
	Method      string  `json:"method"`
	Step        int     `json:"step"`
	Epoch       int     `json:"epoch"`
	Batch       int     `json:"batch"`
	Repeat      int     `json:"repeat"`
	Seconds     float64 `json:"seconds"`      // training wall time so far
	StepSeconds float64 `json:"step_seconds"` // of them, in steps
	Evaluations float64 `json:"evaluations"`  // of networks so far
	Seed        uint64  `json:"seed"`
	Data        string  `json:"data"`
	Fingerprint string  `json:"fingerprint"` // of the data: a resumed run refuses any other
	Version     string  `json:"version"`     // of the program
	Config      string  `json:"config"`      // the resolved configuration, as TOML
	Slowed      Slowed  `json:"slowed,omitzero"`
}

// metaFile is the content of meta.json.
type metaFile struct {
	Meta
	SHA256 string `json:"state_sha256"` // of state.safetensors, in hexadecimal
}

// Step is the step of the checkpoint in dir.
func Step(dir string) (int, error) {
	m, err := readMeta(dir)
	return m.Step, err
}

// readMeta reads dir/meta.json.
func readMeta(dir string) (metaFile, error) {
	path := filepath.Join(dir, metaName)
	raw, err := os.ReadFile(path)
	if err != nil {
		return metaFile{}, fmt.Errorf("checkpoint: %w", err)
	}
	m, err := parseMeta(raw)
	if err != nil {
		return metaFile{}, fmt.Errorf("checkpoint: %s: %w", path, err)
	}
	return m, nil
}

// parseMeta decodes and checks the content of meta.json.
func parseMeta(raw []byte) (metaFile, error) {
	var m metaFile
	if err := json.Unmarshal(raw, &m); err != nil {
		return metaFile{}, fmt.Errorf("expected the JSON of a checkpoint: %w", err)
	}
	if m.Format != Format {
		return metaFile{}, fmt.Errorf("format %d, this version reads format %d", m.Format, Format)
	}
	if m.Step < 0 || m.Epoch < 0 || m.Batch < 0 || m.Repeat < 0 {
		return metaFile{}, fmt.Errorf("step %d, epoch %d, batch %d, repeat %d: expected none below 0", m.Step, m.Epoch, m.Batch, m.Repeat)
	}
	if len(m.SHA256) != 64 {
		return metaFile{}, fmt.Errorf("state_sha256 %q, expected 64 hexadecimal digits", m.SHA256)
	}
	return m, nil
}
