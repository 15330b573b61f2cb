package kernel

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestPeak: Peak returns, also when there is nothing to do, and counts two operations for each
// number of each multiply-add that the listing of its loop has.
func TestPeak(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		each := int64(2)
		if active != &generic {
			each = 2 * listedMultiplyAdds(t, active.name)
		}
		for rounds, want := range map[int]int64{
			-3: 0, 0: 0, 1: each, 2: 2 * each, 1000: 1000 * each,
		} {
			if got := Peak(rounds); got != want {
				t.Errorf("Peak(%d) = %d operations, want %d", rounds, got, want)
			}
		}
	})
}

// TestPeakOfHalves: likewise for the products of an extension.
func TestPeakOfHalves(t *testing.T) {
	for i := range extensions {
		e := &extensions[i]
		each := 2 * listedMultiplyAdds(t, e.name)
		if counted := int64(e.halves.peakOperations); counted != each {
			t.Errorf("%s counts %d operations of a round, want %d", e.name, counted, each)
		}
		if e.lacks() != nil {
			continue
		}
		for _, rounds := range []int{-3, 0, 1, 1000} {
			if got, want := e.halves.Peak(rounds), int64(max(0, rounds))*each; got != want {
				t.Errorf("%s: Peak(%d) = %d operations, want %d", e.name, rounds, got, want)
			}
		}
	}
}

// peakLoop is the loop of Peak in a listing, from behind its label to the jump.
var peakLoop = regexp.MustCompile(`(?s)\nTEXT ·Peak\(SB\).*?\nloop:\n(.*?)[^\n]*\bloop\n`)

// multiplyAdd is one in Go's syntax, or in GNU's in the comment of a number: the sum is then the
// last or the first of the registers, whose kind says how many products it adds. Those of halves
// are in the comment of bytes.
var multiplyAdd = regexp.MustCompile(
	`^VFMADD231PS ([XYZ]\d+), ([XYZ]\d+), (([XYZ])\d+)$|` +
		`^WORD \S+ // fmla (v\d+)(\.4s), (v\d+)\.4s, (v\d+)\.4s$|` +
		`^BYTE .* // (VDPBF16PS|TDPBF16PS) (\w+), (\w+), (\w+)$`,
)

// counting matches what else a round needs.
var counting = regexp.MustCompile(`^(SUBQ \$0x0*1, \w+|TESTQ (\w+), (\w+)|SUB \$1, \w+)$`)

// listedMultiplyAdds counts the numbers that one round of a path's Peak multiplies and adds, and
// sees that no multiply-add waits for another and that nothing else happens.
func listedMultiplyAdds(t *testing.T, path string) (count int64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "asm", path, "product_"+runtime.GOARCH+".s"))
	if err != nil {
		t.Fatal(err)
	}
	loop := peakLoop.FindStringSubmatch(string(text))
	if loop == nil {
		t.Fatalf("no loop of Peak in the listing of %s", path)
	}
	if strings.Count(loop[1], "\tSUB") != 1 {
		t.Errorf("%s: rounds are not counted down once each", path)
	}
	sums, factors := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(loop[1]) {
		line = strings.Join(strings.Fields(line), " ")
		m := multiplyAdd.FindStringSubmatch(line)
		if m == nil {
			if !counting.MatchString(line) {
				t.Errorf("%s: %s is no multiply-add", path, line)
			}
			continue
		}
		sum := m[3] + m[5] + m[12]
		if sums[sum] {
			t.Errorf("%s: %s waits for another one", path, line)
		}
		sums[sum] = true
		factors[m[1]+m[7]+m[10]], factors[m[2]+m[8]+m[11]] = true, true
		count += map[string]int64{
			"X": 4, "Y": 8, "Z": 16, ".4s": 4, "VDPBF16PS": 32, "TDPBF16PS": 16 * 16 * 32,
		}[m[4]+m[6]+m[9]]
	}
	for f := range factors {
		if sums[f] {
			t.Errorf("%s: register %s is both a sum and a factor", path, f)
		}
	}
	return count
}
