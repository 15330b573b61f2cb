package trainer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/progress"
)

// Reading that takes long is reported after some seconds, and then again. Warnings and messages
// come from the goroutine of the caller.
func TestSlowReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	head := "\x93NUMPY\x01\x00\x76\x00" +
		"{'descr': '|u1', 'fortran_order': False, 'shape': (8192, 64, 64)}"
	head += strings.Repeat(" ", 128-len(head))
	text := append([]byte(head), make([]byte, 8192*64*64)...)
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	c := smallRun()
	c.Data, c.Network = path, config.MLP
	var messages []string
	var waits []time.Duration
	tr := &Trainer{cfg: c, reports: reports{after: func(d time.Duration) <-chan time.Time {
		if waits = append(waits, d); len(waits) > 3 {
			return nil
		}
		return time.After(time.Millisecond)
	}}}
	hook := Hook{
		OnMessage: func(s string) { messages = append(messages, s) },
		OnWarning: func(s string) { messages = append(messages, s) },
	}
	WithHook(hook)(tr)
	all, err := tr.readSlowly(t.Context())
	if err != nil || all.Len() != 8192 {
		t.Fatal(err)
	}
	says := func(what string) bool {
		return slices.ContainsFunc(messages, func(s string) bool {
			return strings.Contains(s, what)
		})
	}
	if !says("still reading the data "+path) || !says("nothing to learn") || !says("Read 8,192") {
		t.Errorf("%q", messages)
	}
	if len(waits) < 2 || waits[0] != progress.First || waits[1] != progress.Every {
		t.Error(waits)
	}
}
