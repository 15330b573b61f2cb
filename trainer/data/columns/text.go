package columns

import (
	"strings"

	"github.com/dustin/go-humanize"
)

// count formats a number of things, whose name is given in the singular.
func count(n int, thing string) string {
	if n != 1 {
		if stem, ok := strings.CutSuffix(thing, "y"); ok {
			thing = stem + "ie"
		}
		thing += "s"
	}
	return humanize.Comma(int64(n)) + " " + thing
}
