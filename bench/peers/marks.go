package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

// marks enclose the generated part of a file. They have the part's name and the command that
// writes it.
type marks struct{ name, command string }

func (m marks) begin() string {
	return fmt.Sprintf("<!-- %s: written by %s -->", m.name, m.command)
}

func (m marks) end() string { return fmt.Sprintf("<!-- %s: end -->", m.name) }

// insert replaces the text between the marks of a file.
func (m marks) insert(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	whole, err := m.between(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return file.WriteBytes(file.OS, path, []byte(whole))
}

func (m marks) between(old, text string) (string, error) {
	head, rest, begins := strings.Cut(old, m.begin()+"\n")
	_, tail, ends := strings.Cut(rest, m.end())
	if !begins || !ends || strings.Contains(tail, m.begin()) {
		return "", fmt.Errorf("want one line %q and after it one line %q", m.begin(), m.end())
	}
	return head + m.begin() + "\n\n" + strings.TrimSpace(text) + "\n\n" + m.end() + tail, nil
}
