package data

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tally counts names and keeps the first few.
type tally struct {
	count int
	first []string
}

func (n *tally) add(yes bool, name string) {
	if !yes {
		return
	}
	if n.count++; len(n.first) < namedEntries {
		n.first = append(n.first, name)
	}
}

// printable returns a name, quoted if it would garble its line of output.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) ||
		!utf8.ValidString(name) {
		return strconv.Quote(name)
	}
	return name
}

func (n *tally) list() string {
	shown := make([]string, len(n.first))
	for i, name := range n.first {
		shown[i] = printable(name)
	}
	s := strings.Join(shown, ", ")
	if n.count > len(n.first) {
		s += ", ..."
	}
	return s
}
