package config

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// literal formats a TOML value as in a file: a string in quotes, a float with its point.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			text = strconv.FormatFloat(v, 'f', 1, 64)
		}
		return text
	case time.Time:
		return date(v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = literal(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any, []map[string]any:
		return "a table"
	}
	return fmt.Sprint(v)
}

// date formats a date or time as in TOML. The decoder marks local ones by their location.
func date(t time.Time) string {
	layouts := map[string]string{
		"date-local": "2006-01-02", "time-local": "15:04:05.999999999",
		"datetime-local": "2006-01-02T15:04:05.999999999",
	}
	if layout, ok := layouts[t.Location().String()]; ok {
		return t.Format(layout)
	}
	return t.Format(time.RFC3339Nano)
}

// cure proposes how to write v, whose type the key does not accept, as the key expects it; "" if
// that is not obvious.
func (k Key) cure(v any) string {
	text, ok := bare(v)
	if !ok {
		return ""
	}
	meant := k.value.scratch()
	if meant.parse(text) != nil {
		return ""
	}
	var line bytes.Buffer
	if err := toml.NewEncoder(&line).Encode(map[string]any{k.Name: meant.encode()}); err != nil {
		return ""
	}
	written := "; write " + strings.TrimSpace(line.String())
	if _, quoted := v.(string); quoted {
		written += ", without quotes"
	}
	return written
}

// bare formats a value as Key.Set reads it, if it has such a form.
func bare(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64, bool:
		return fmt.Sprint(v), true
	case float64:
		if v == math.Trunc(v) {
			return strconv.FormatFloat(v, 'f', -1, 64), true
		}
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case time.Time:
		return date(v), true
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			text, ok := bare(item)
			if _, nested := item.([]any); !ok || nested {
				return "", false
			}
			items[i] = text
		}
		return strings.Join(items, ","), true
	}
	return "", false
}
