package figure

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A program that draws figures carries one face, not the twelve that package plot brings (4 MB).
func TestFaces(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, name := range []string{
		"gonum.org/v1/plot", "gonum.org/v1/plot/plotter", "gonum.org/v1/plot/font/liberation",
	} {
		if slices.Contains(deps, name) {
			t.Errorf("package figure imports %s", name)
		}
	}
	faces := 0
	for _, name := range deps {
		if strings.HasPrefix(name, "codeberg.org/go-fonts/") {
			faces++
		}
	}
	if faces != 1 {
		t.Errorf("%d embedded faces", faces)
	}
}

// The middle of an axis that goes through zero is 0, not -0.
func TestZero(t *testing.T) {
	for _, low := range []float64{-15, -0.3, -1e-9} {
		for _, tick := range (even{}).Ticks(low, -2*low) {
			if tick.Label == "-0" {
				t.Errorf("from %v: a label -0", low)
			}
		}
	}
}
