package evaluate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/npy"
)

// An evaluation of data that stay in their file says what one of data in memory says, and ends with
// an error if the file changes meanwhile.
func TestDataStayInTheirFile(t *testing.T) {
	digits, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "digits.npy")
	x := gather(digits, data.Range(0, digits.Len()), 64)
	if err := npy.WriteFile(path, x, digits.Len(), 8, 8); err != nil {
		t.Fatal(err)
	}
	dir := tiny(t, func(c *config.Config) { c.Data, c.Epochs = path, 2 })
	want := mustRun(t, dir, few)
	o := few
	o.keep = 1
	if got := mustRun(t, dir, o); text(t, got) != text(t, want) {
		t.Errorf("%s\nin memory %s", text(t, got), text(t, want))
	}
	o.Progress = func(what string) {
		if strings.HasPrefix(what, "nearest training images") {
			if err := os.Truncate(path, 1000); err != nil {
				t.Error(err)
			}
		}
	}
	_, err = Run(t.Context(), dir, o)
	if err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("error %v", err)
	}
}
