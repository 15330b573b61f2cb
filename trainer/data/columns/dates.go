package columns

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// directives are the parts of a date's format, as strftime has them, and those of package time.
var directives = map[string]string{
	"%Y": "2006", "%y": "06", "%m": "01", "%-m": "1", "%b": "Jan", "%B": "January", "%d": "02",
	"%-d": "2", "%H": "15", "%I": "03", "%p": "PM", "%M": "04", "%S": "05", "%f": "000000",
	"%z": "-0700", "%:z": "-07:00", "%%": "%",
}

// layout returns the layout of package time for a format.
func layout(format string) (string, error) {
	var b strings.Builder
	for rest := format; rest != ""; {
		if rest[0] != '%' {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		n := 2
		if strings.HasPrefix(rest, "%-") || strings.HasPrefix(rest, "%:") {
			n = 3
		}
		part, known := directives[rest[:min(n, len(rest))]]
		if !known {
			return "", fmt.Errorf("format = %q: expected dates as strftime has them, such as "+
				"%%Y-%%m-%%d or %%d/%%m/%%Y %%H:%%M:%%S, with %%Y %%y %%m %%b %%B %%d %%H %%I %%p "+
				"%%M %%S %%f %%z %%:z, and %%-d and %%-m without a zero before them", format)
		}
		b.WriteString(part)
		rest = rest[n:]
	}
	return b.String(), nil
}

// readLayout is layout for reading, which takes days and months with or without a zero, as strptime
// does.
func readLayout(format string) (string, error) {
	return layout(strings.NewReplacer("%d", "%-d", "%m", "%-m").Replace(format))
}

// resolution is the step of the dates that a format writes, in seconds.
func resolution(format string) float64 {
	for _, r := range []struct {
		directive string
		seconds   float64
	}{{"%f", 1e-6}, {"%S", 1}, {"%M", 60}, {"%H", 3600}, {"%I", 3600}} {
		if strings.Contains(format, r.directive) {
			return r.seconds
		}
	}
	return 24 * 3600
}

// formatDate writes seconds since 1970 in UTC.
func formatDate(v float64, format string) string {
	l, err := layout(format)
	if err != nil {
		return fmt.Sprint(v)
	}
	seconds := math.Floor(v)
	micros := math.Round((v - seconds) * 1e6)
	return time.Unix(int64(seconds), int64(micros)*1000).UTC().Format(l)
}

// parseDate reads a date as seconds since 1970 in UTC.
func parseDate(text, layout string) (float64, bool) {
	t, err := time.Parse(layout, text)
	if err != nil {
		return 0, false
	}
	return float64(t.Unix()) + float64(t.Nanosecond()/1000)*1e-6, true
}
