package serve

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/run"
)

// holding starts such a process. Its command line has the word given.
func holding(t *testing.T, word, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], word, dir)
	cmd.Env = append(os.Environ(), holdVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held <nil>\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd
}

// The process that trains a run gets SIGTERM, once.
func TestStopProcess(t *testing.T) {
	root := t.TempDir()
	cmd := holding(t, "train", copyRun(t, root, "a"))
	_, at := served(t, Options{Root: root, Token: token})
	if page := ask(t, "GET", at+"/run?run=a").body; !strings.Contains(page, `data-stops="a"`) {
		t.Error("the page has no button")
	}
	a := post(t, at+"/stop", url.Values{"run": {"a"}}, "Authorization", "Bearer "+token)
	if a.status != 200 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d", code)
	}
}

// A process that is not known for sure to train the run gets no signal.
func TestStopOthers(t *testing.T) {
	root := t.TempDir()
	dir := copyRun(t, root, "a")
	cmd := holding(t, "compare", dir)
	if _, err := trainingProcess(dir); err == nil ||
		!strings.Contains(err.Error(), "is not plume train: a signal might end it") {
		t.Errorf("another command: %v", err)
	}
	other := holding(t, "train", copyRun(t, root, "b")) // which has another lock
	for want, h := range map[string]run.Holder{
		"it is trained on elsewhere, and this is": {Host: "elsewhere", PID: cmd.Process.Pid},
		"does not hold its lock":                  {PID: other.Process.Pid},
		"does not say which process":              {},
		"is not one of this machine":              {PID: 1 << 22},
	} {
		forge(t, dir, h)
		if _, err := trainingProcess(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	_, at := served(t, Options{Root: root})
	page := ask(t, "GET", at+"/run?run=a").body
	if !strings.Contains(page, "It cannot be stopped from this page: ") ||
		strings.Contains(page, "data-stops=") {
		t.Error("the page does not say that the run cannot be stopped")
	}
}

// forge makes a lock say that another process holds it.
func forge(t *testing.T, dir string, h run.Holder) {
	t.Helper()
	if h.Host == "" {
		var err error
		if h.Host, err = os.Hostname(); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(append(text, '\n'), 1); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(int64(len(text)) + 2); err != nil {
		t.Fatal(err)
	}
}
