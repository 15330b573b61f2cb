package main

import (
	"strings"
	"testing"
)

// The lines of the first paragraph are full: none has room for the next word, give or take some
// characters.
func TestHelpLinesAreFull(t *testing.T) {
	const width = 100
	for name, text := range map[string]string{
		"train": trainLong, "sample": sampleLong, "eval": evalLong, "compare": compareLong,
		"verify": verifyLong,
	} {
		first, _, _ := strings.Cut(text, "\n\n")
		lines := strings.Split(first, "\n")
		for i, line := range lines {
			if len(line) > width {
				t.Errorf("%s: %d characters in %q", name, len(line), line)
			}
			if i+1 == len(lines) {
				break
			}
			word, _, _ := strings.Cut(lines[i+1], " ")
			if len(line)+1+len(word) <= width-5 {
				t.Errorf("%s: %q breaks before %q", name, line, word)
			}
		}
	}
}
