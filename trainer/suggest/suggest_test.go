package suggest

import (
	"strings"
	"testing"
)

func TestDidYouMean(t *testing.T) {
	known := []string{"epochs", "step_size", "lr"}
	for name, want := range map[string]string{
		"epoch": "epochs", "step-size": "step_size", "stepsize": "step_size", "ls": "lr",
		"quite_different": "",
	} {
		got := DidYouMean(name, known)
		if want == "" && got != "" || want != "" && !strings.Contains(got, `"`+want+`"`) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, test := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"", "abc", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("%s to %s: %d, expected %d", test.a, test.b, got, test.want)
		}
	}
}
