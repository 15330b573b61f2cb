package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands that documents show are run by the scripts documents-*.txtar, which prepare small
// data and small runs for them:
//
//	small OLD NEW            in the commands that follow, NEW stands in the place of OLD; OLD$ is
//	                         OLD at the end of a command
//	elsewhere FILE COMMAND   a command that begins so is run by FILE, which has all its flags
//	shown DOCUMENT [HEADING] runs the commands of a document, or of the part below a heading
//
// Of the blocks of a document's ```sh, shown runs every line, in order, in one shell that ends at
// the first failure. Lines of programs that change the machine, need the network or take hours are
// checked in another way instead (documents_check_test.go). A line that is neither fails.

// repository is the module's root, seen from this package.
const repository = "../.."

// A shownCommand is a command of a document: a line, with those that continue it.
type shownCommand struct {
	heading string
	text    string
}

var fence = regexp.MustCompile("^```(\\w*)$")

// shownCommands are the commands in the blocks of a document, and the lines of other blocks.
func shownCommands(text string) (commands []shownCommand, others []string) {
	heading, language, inside, open := "", "", false, ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := fence.FindStringSubmatch(line); m != nil {
			inside, language = !inside, m[1]
			continue
		}
		switch {
		case !inside:
			if title, is := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); is &&
				strings.HasPrefix(line, "#") {
				heading = title
			}
		case language != "sh":
			others = append(others, line)
		case strings.TrimSpace(withoutComment(line)) != "":
			open += withoutComment(line)
			if continued(open) {
				open = strings.TrimSuffix(open, "\\") + " "
				continue
			}
			commands = append(commands, shownCommand{heading, open})
			open = ""
		}
	}
	return commands, others
}

var comment = regexp.MustCompile(`(^|\s+)# .*$`)

func withoutComment(line string) string {
	return strings.TrimRight(comment.ReplaceAllString(line, ""), " ")
}

func continued(line string) bool {
	return slices.ContainsFunc([]string{"\\", "||", "&&", "|"},
		func(end string) bool { return strings.HasSuffix(line, end) })
}

// documentState is what small and elsewhere have said since the last shown.
type documentState struct {
	smaller   [][2]string
	elsewhere [][2]string
	used      map[string]bool
}

// documentsKey is the key under which a script's documentState lies.
const documentsKey = "documents"

func stateOf(ts *testscript.TestScript) *documentState {
	return ts.Value(documentsKey).(*documentState)
}

// smallCommand is small OLD NEW.
func smallCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: small OLD NEW")
	}
	s := stateOf(ts)
	s.smaller = append(s.smaller, [2]string{args[0], args[1]})
}

// elsewhereCommand is elsewhere FILE COMMAND.
func elsewhereCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: elsewhere FILE COMMAND")
	}
	s := stateOf(ts)
	s.elsewhere = append(s.elsewhere, [2]string{args[0], args[1]})
}

// shown is shown DOCUMENT [HEADING].
func shown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: shown DOCUMENT [HEADING]")
	}
	text, err := os.ReadFile(filepath.Join(repository, args[0]))
	ts.Check(err)
	s := stateOf(ts)
	s.used = map[string]bool{}
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	var checks []shownCommand
	commands, _ := shownCommands(string(text))
	n := 0
	for _, c := range commands {
		if len(args) == 2 && c.heading != args[1] {
			continue
		}
		n++
		ok, err := s.coveredElsewhere(c.text)
		ts.Check(err)
		switch {
		case ok:
		case runs(c.text):
			line := s.smallForm(c.text)
			fmt.Fprintf(&script, "echo %q\n%s\n", "+ "+line, line)
		default:
			checks = append(checks, c)
		}
	}
	if n == 0 {
		ts.Fatalf("%q: no commands", args)
	}
	ts.Setenv("GOCACHE", goCache()) // where go tool pprof lies, built
	if err := ts.Exec("bash", "-c", script.String()); err != nil {
		ts.Fatalf("%s: the last command that is shown above, in its small form: %v", args[0], err)
	}
	for _, c := range checks {
		line := s.smallForm(c.text)
		if err := checkCommand(line, filepath.Dir(args[0]), ts.MkAbs(".")); err != nil {
			ts.Fatalf("%s: %s: %v", args[0], c.text, err)
		}
	}
	ts.Check(s.allUsed())
	*s = documentState{}
}

var goCache = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
})

// smallForm is a command with everything that makes it smaller.
func (s *documentState) smallForm(command string) string {
	for _, pair := range s.smaller {
		before := command
		if end, at := strings.CutSuffix(pair[0], "$"); !at {
			command = strings.ReplaceAll(command, pair[0], pair[1])
		} else if start, is := strings.CutSuffix(command, end); is {
			command = start + pair[1]
		}
		if command != before {
			s.used[pair[0]] = true
		}
	}
	return command
}

// coveredElsewhere reports whether a command is run by another file, which must have its flags.
func (s *documentState) coveredElsewhere(command string) (bool, error) {
	for _, pair := range s.elsewhere {
		if !strings.HasPrefix(command, pair[1]) {
			continue
		}
		s.used[pair[1]] = true
		text, err := os.ReadFile(filepath.Join(repository, pair[0]))
		if err != nil {
			return false, err
		}
		for _, word := range telling(command) {
			if !strings.Contains(string(text), word) {
				return false, fmt.Errorf("%s is to run %q, but has no %s", pair[0], command, word)
			}
		}
		return true, nil
	}
	return false, nil
}

// telling are the words of a command that a file must have to cover it: flags, the subcommand of
// plume, and the path of an address.
func telling(command string) (words []string) {
	for i, word := range strings.Fields(command) {
		switch {
		case strings.Contains(word, ":6060/"):
			_, path, _ := strings.Cut(word, ":6060/")
			path, _, _ = strings.Cut(path, "?")
			if root, _, deeper := strings.Cut(path, "/pprof/"); deeper {
				path = root + "/pprof/"
			}
			words = append(words, "/"+path)
		case strings.HasPrefix(word, "-") && !strings.HasPrefix(command, "go tool "):
			flag, _, _ := strings.Cut(word, "=")
			words = append(words, flag)
		case i == 1 && strings.HasPrefix(command, "plume "):
			words = append(words, word)
		}
	}
	return words
}

// allUsed is an error if something was said of a command that is not there any more.
func (s *documentState) allUsed() (err error) {
	for _, pair := range slices.Concat(s.smaller, s.elsewhere) {
		if !s.used[pair[0]] && !s.used[pair[1]] { // of small its first, of elsewhere its second
			err = errors.Join(err, fmt.Errorf("no command has %q any more", pair))
		}
	}
	return err
}

// killer stands for timeout -s KILL SECONDS COMMAND...: it kills a training once it has saved a
// checkpoint, however fast the machine is, and fails if it ends before.
func killer() {
	args := os.Args[1:]
	out := slices.Index(args, "--out")
	if len(args) < 4 || args[0] != "-s" || args[1] != "KILL" || out < 0 || out+1 >= len(args) {
		fmt.Fprintln(os.Stderr, "usage: timeout -s KILL SECONDS COMMAND... --out DIR ...")
		os.Exit(2)
	}
	cmd := exec.Command(args[3], args[4:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			fmt.Fprintln(os.Stderr, "timeout: ended before it was killed:", err)
			os.Exit(0) // as the real one, so that what follows does not hide it
		case <-time.After(time.Millisecond):
		}
		if _, err := os.Stat(filepath.Join(args[out+1], "checkpoints", "latest")); err == nil {
			_ = cmd.Process.Kill()
			<-ended
			os.Exit(137)
		}
	}
}

// Every command of every document is shown by a script; other blocks hold none.
func TestDocumentsAreShown(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/documents-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{} // documents, or documents and headings
	line := regexp.MustCompile(`(?m)^(?:\[\S+\] )?shown (\S+)(?: '([^']*)'| (\S+))?$`)
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			covered[strings.TrimSpace(m[1]+" "+m[2]+m[3])] = true
		}
	}
	n := 0
	for _, path := range markdown(t) {
		text, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Fatal(err)
		}
		commands, others := shownCommands(string(text))
		for _, c := range commands {
			n++
			if !covered[path] && !covered[path+" "+c.heading] {
				t.Errorf("%s, %q: no script runs %q: testdata/script/documents-*.txtar",
					path, c.heading, c.text)
			}
		}
		for _, line := range others {
			word, _, _ := strings.Cut(strings.TrimPrefix(line, "$ "), " ")
			if slices.Contains([]string{"plume", "bin/plume", "make", "go", "git"}, word) {
				t.Errorf("%s: %q is a command in a block that is not ```sh", path, line)
			}
		}
	}
	if n < 100 {
		t.Errorf("%d commands are shown; expected more", n)
	}
}

// markdown are the documents of the tree.
func markdown(t *testing.T) (paths []string) {
	t.Helper()
	out, err := exec.Command("git", "-C", repository, "ls-files", "-co", "--exclude-standard",
		"*.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.Lines(string(out)) {
		if path = strings.TrimSpace(path); !strings.Contains(path, "testdata/") {
			paths = append(paths, path)
		}
	}
	return paths
}
