package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const modulePath = "github.com/plume-ml/plume"

// runs reports whether a command that a document shows is run as it stands: plume, also with
// variables of the environment, and what looks at its files.
func runs(command string) bool {
	if strings.HasPrefix(command, "go tool pprof ") {
		return true
	}
	word, rest, _ := strings.Cut(command, " ")
	for strings.HasPrefix(word, "PLUME_") && strings.Contains(word, "=") {
		word, rest, _ = strings.Cut(rest, " ")
	}
	return slices.Contains([]string{"plume", "bin/plume", "cmp", "timeout", "wait"}, word)
}

// checks are what is demanded of commands that are not run, by their first words.
var checks = []struct {
	program string
	check   func(words []string, at, scratch string) error
}{
	{"make", checkMake},
	{"git clone", checkClone},
	{"go install", checkInstall},
	{"go test", checkGo},
	{"go run", checkGo},
	{"regress", checkRegress},
	{"tensorboard", checkTensorboard},
	{"ssh", checkTunnel},
}

// checkCommand checks a command that a document shows and that is not run. at is the directory of
// the document below the module's root, scratch that of the commands that were.
func checkCommand(command, at, scratch string) error {
	for _, c := range checks {
		if strings.HasPrefix(command+" ", c.program+" ") {
			return c.check(strings.Fields(command), at, scratch)
		}
	}
	return errors.New("neither run by the scripts for documents, nor checked in another way " +
		"(documents_check_test.go)")
}

// checkMake demands that make has the targets, and that the Makefile uses the variables.
func checkMake(words []string, _, _ string) error {
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		return err
	}
	targets := 0
	for _, word := range words[1:] {
		name, value, assigns := strings.Cut(word, "=")
		switch {
		case assigns && regexp.MustCompile(`\$\([^)]*\b`+name+`\b`).Match(makefile):
		case assigns && value != "" || strings.HasPrefix(word, "-"):
			return fmt.Errorf("the Makefile does not use %s", word)
		case !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(word) + `:.*## `).Match(makefile):
			if strings.HasSuffix(word, `"`) { // the end of a quoted value
				continue
			}
			return fmt.Errorf("the Makefile has no target %s with a line of help", word)
		default:
			targets++
		}
	}
	if targets == 0 && len(words) > 1 {
		return errors.New("no target")
	}
	return nil
}

// checkClone demands the address that is the module's path.
func checkClone(words []string, _, _ string) error {
	want := "git clone https://" + modulePath + " && cd " + filepath.Base(modulePath)
	if got := strings.Join(words, " "); got != want {
		return fmt.Errorf("expected %s", want)
	}
	return nil
}

// checkInstall demands a command of this module.
func checkInstall(words []string, _, _ string) error {
	path, version, _ := strings.Cut(words[len(words)-1], "@")
	name, err := exec.Command("go", "list", "-f", "{{.Name}}", path).Output()
	if err != nil || string(name) != "main\n" || version != "latest" {
		return fmt.Errorf("%s is %q, %v; expected a command of this module @latest",
			path, name, err)
	}
	return nil
}

// checkGo demands packages that exist, and benchmarks or tests of the names that are asked for.
func checkGo(words []string, _, _ string) error {
	var pattern string
	packages := 0
	for i, word := range words[2:] {
		if before := words[i+1]; before == "-bench" || before == "-run" {
			pattern = strings.Trim(word, "'")
		}
		if word == "-args" {
			break
		}
		if !strings.HasPrefix(word, "./") && !strings.HasPrefix(word, modulePath) {
			continue
		}
		packages++
		list := exec.Command("go", "list", "-f", "{{.Dir}}", word)
		list.Dir = repository
		dirs, err := list.Output()
		if err != nil || len(dirs) == 0 {
			return fmt.Errorf("no packages %s: %v", word, err)
		}
		if pattern != "" && !declares(strings.Fields(string(dirs)), pattern) {
			return fmt.Errorf("%s has no test or benchmark %s", word, pattern)
		}
	}
	if packages == 0 {
		return errors.New("no packages")
	}
	return nil
}

// declares reports whether test files of the directories have a test or benchmark of that name.
func declares(dirs []string, pattern string) bool {
	pattern, _, _ = strings.Cut(strings.Trim(pattern, "^$"), "/")
	function := regexp.MustCompile(`(?m)^func (Test|Benchmark)\w*` + pattern)
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			return false
		}
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && function.Match(text) {
				return true
			}
		}
	}
	return false
}

// checkRegress demands a command of bench/regress and flags that its source names.
func checkRegress(words []string, _, _ string) error {
	files, err := filepath.Glob(filepath.Join(repository, "bench", "regress", "*.go"))
	if err != nil {
		return err
	}
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		source.Write(text)
	}
	for i, word := range words {
		name, isFlag := strings.CutPrefix(word, "-")
		if (isFlag && len(name) > 1 || i == 1) && !strings.Contains(source.String(), `"`+name+`"`) {
			return fmt.Errorf("bench/regress does not know %s", word)
		}
	}
	return nil
}

// checkTensorboard demands that the commands before it wrote event files where it looks.
func checkTensorboard(words []string, _, scratch string) error {
	if len(words) != 3 || words[1] != "--logdir" {
		return errors.New("expected tensorboard --logdir DIRECTORY")
	}
	files, err := filepath.Glob(filepath.Join(scratch, words[2], "*", "tensorboard", "*tfevents*"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no event files below %s: %v", words[2], err)
	}
	return nil
}

// checkTunnel demands a way to the port of this machine at which plume serve listens by default.
func checkTunnel(words []string, _, _ string) error {
	_, port, err := net.SplitHostPort(newServe().Flags().Lookup("listen").DefValue)
	if err != nil {
		return err
	}
	want := fmt.Sprintf("ssh -N -L %s:localhost:%s HOST", port, port)
	if got := strings.Join(words, " "); got != want {
		return fmt.Errorf("expected %s", want)
	}
	return nil
}

// Commands and flags in the running text of documents exist.
func TestDocumentsNameFlags(t *testing.T) {
	known := map[string]bool{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, word := range strings.Fields(cmd.UsageString()) {
			known[strings.Trim(word, ",.;:()[]\"")] = true
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot())
	commands := map[string]bool{}
	for _, c := range newRoot().Commands() {
		commands[c.Name()] = true
	}
	span := regexp.MustCompile("`([^`\n]+)`")
	command := regexp.MustCompile(`^(?:bin/)?plume ([a-z]+)`)
	flag := regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*)`)
	// programs with flags of their own
	others := regexp.MustCompile(`^(tensorboard|systemctl|mpirun|srun) `)
	n := 0
	for _, path := range markdown(t) {
		text, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range span.FindAllStringSubmatch(string(text), -1) {
			if c := command.FindStringSubmatch(m[1]); c != nil && !commands[c[1]] {
				t.Errorf("%s: `%s`: plume has no command %s", path, m[1], c[1])
			}
			for _, f := range flag.FindAllStringSubmatch(m[1], -1) {
				n++
				if !known[f[1]] && !others.MatchString(m[1]) {
					t.Errorf("%s: `%s`: no command of plume has the flag %s", path, m[1], f[1])
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("%d flags are named; expected more", n)
	}
}
