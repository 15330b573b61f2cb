package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plume-ml/plume/trainer/file"
)

// Notes are what people say about a run, the content of notes.json. Training neither reads nor
// writes them.
type Notes struct {
	Tags []string `json:"tags,omitempty"` // in alphabetical order, each once
	Note string   `json:"note,omitempty"`
}

// Limits of what is said about a run.
const maxTag, maxNote = 64, 1 << 16

// ReadNotes reads notes.json of the run in dir: the zero Notes if there is none.
func ReadNotes(dir string) (n Notes, err error) {
	path := filepath.Join(dir, notesFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, fmt.Errorf("notes: %w", err)
	}
	if err := json.Unmarshal(text, &n); err != nil {
		return Notes{}, fmt.Errorf("notes: %s: expected a JSON object with tags and a note: %w",
			path, err)
	}
	if err := n.check(); err != nil {
		return Notes{}, fmt.Errorf("notes: %s: %w", path, err)
	}
	return n, nil
}

// StoreNotes writes notes.json of the run in dir, or removes it if nothing is said. It needs no
// lock: another process may be training.
func StoreNotes(dir string, n Notes) error {
	if err := n.check(); err != nil {
		return err
	}
	path := filepath.Join(dir, notesFile)
	if len(n.Tags) == 0 && n.Note == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("notes: %w", err)
		}
		return nil
	}
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	if err := file.WriteBytes(file.OS, path, append(text, '\n')); err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	return nil
}

// Tag adds tags, or removes those that are there.
func (n *Notes) Tag(tags []string, remove bool) {
	kept := slices.DeleteFunc(slices.Clone(n.Tags), func(t string) bool {
		return slices.Contains(tags, t)
	})
	if !remove {
		kept = append(kept, tags...)
	}
	slices.Sort(kept)
	n.Tags = slices.Compact(kept)
}

func (n Notes) check() error {
	for _, tag := range n.Tags {
		bad := strings.ContainsFunc(tag, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || r == ','
		})
		if tag == "" || len(tag) > maxTag || bad || !utf8.ValidString(tag) {
			return fmt.Errorf("tag %q: expected 1 to %d bytes of UTF-8, without spaces, commas "+
				"and control characters", tag, maxTag)
		}
	}
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if len(n.Note) > maxNote || !utf8.ValidString(n.Note) ||
		strings.ContainsFunc(n.Note, control) {
		return fmt.Errorf("note: expected at most %d bytes of UTF-8, without control characters "+
			"but ends of lines and tabs", maxNote)
	}
	return nil
}
