package main

import (
	"fmt"
	"io"
	"strings"
)

// screen keeps a block of lines in place at the end of a terminal's output, below lines that stay.
// It changes no mode of the terminal, not even the cursor's: whenever the process ends or is
// stopped, the cursor is at the start of the line below the block, and nothing is left to restore.
type screen struct {
	w             io.Writer
	width, height int      // of the terminal, when the block was drawn
	block         int      // lines of the block on the screen; 0: there is none
	said          []string // the last lines that stay, for when the terminal changes its size
}

// mostSaid is how many lines that stay are written again at most.
const mostSaid = 200

const (
	eraseBelow  = "\x1b[J"
	clearScreen = "\x1b[H\x1b[2J"
)

// show replaces the block, below a text that stays; "" for none. Everything is one write, and each
// line of the block replaces that of before: nothing flickers. If the terminal has changed its
// size, the lines on it may have been cut or wrapped, and where the block begins is not known: then
// the screen is written anew, with the lines that stay above the block as far as there is room.
func (s *screen) show(text string, block []string, width, height int) {
	s.keep(text)
	out := s.up()
	switch {
	case s.block > 0 && (width != s.width || height != s.height):
		out = clearScreen + s.again(width, height-len(block)-1)
		s.block = 0
	case text != "":
		out += eraseBelow + text + "\n"
		s.block = 0
	}
	s.width, s.height = width, height
	s.io(out + s.lines(block))
}

// forget makes the next block a new one, since other output may have followed this one.
func (s *screen) forget() { s.block = 0 }

// up goes to where the block begins.
func (s *screen) up() string {
	if s.block == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA", s.block)
}

// lines writes a block over the one of before, from where that begins.
func (s *screen) lines(block []string) string {
	var out strings.Builder
	for _, line := range block {
		out.WriteString(line + eraseToEnd + "\n")
	}
	if len(block) < s.block {
		out.WriteString(eraseBelow)
	}
	s.block = len(block)
	return out.String()
}

// keep notes lines that stay; "" is none.
func (s *screen) keep(text string) {
	if text == "" {
		return
	}
	s.said = append(s.said, strings.Split(text, "\n")...)
	if n := len(s.said) - mostSaid; n > 0 {
		s.said = append(s.said[:0], s.said[n:]...)
	}
}

// again is the end of the lines that stay, as many as fit in so many rows.
func (s *screen) again(width, rows int) string {
	first := len(s.said)
	for first > 0 {
		rows -= max(1, (cellsOf(s.said[first-1])+width-1)/max(1, width))
		if rows < 0 {
			break
		}
		first--
	}
	if first == len(s.said) {
		return ""
	}
	return strings.Join(s.said[first:], "\n") + "\n"
}

// io writes. Errors are ignored: a closed terminal must not end a run.
func (s *screen) io(text string) { _, _ = io.WriteString(s.w, text) }

// cellsOf is how many columns a text takes: its characters but for sequences that set colours.
func cellsOf(text string) (n int) {
	eachCell(text, func(string) { n++ }, func(string) {})
	return n
}

// eachCell calls cell with each character of a text, and sequence with each part of a sequence that
// sets a colour.
func eachCell(text string, cell, sequence func(string)) {
	inSequence := false
	for _, c := range text {
		switch {
		case c == '\x1b':
			inSequence = true
			sequence(string(c))
		case inSequence:
			inSequence = c == '[' || c == ';' || c >= '0' && c <= '9'
			sequence(string(c))
		default:
			cell(string(c))
		}
	}
}

// padded fills a text with spaces up to a width, or cuts it.
func padded(text string, width int) string {
	var out strings.Builder
	n := 0
	eachCell(text, func(c string) {
		if n++; n <= width {
			out.WriteString(c)
		}
	}, func(s string) { out.WriteString(s) })
	return out.String() + strings.Repeat(" ", max(0, width-n))
}
