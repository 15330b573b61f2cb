package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// json reads labels in one of these forms:
//
//	{"labels": [["00000/img.png", 6], ...]}        as written by NVlabs/edm
//	{"img.png": 6, ...} or {"labels": {...}}       by name
//	[6, 3, ...] or {"labels": [6, 3, ...]}         in the order of the images
//	[{"file_name": "img.png", "label": 6}, ...]    or one such object per line
func (t *labelTable) json(b []byte) error {
	t.headed = true
	d := json.NewDecoder(bytes.NewReader(b))
	var values []json.RawMessage
	for {
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.fail("is not complete JSON: %w", err)
		}
		values = append(values, v)
	}
	if len(values) > 1 {
		return t.list(values)
	}
	return t.value(values[0])
}

// value reads a list or an object.
func (t *labelTable) value(b json.RawMessage) error {
	var list []json.RawMessage
	if b[0] == '[' {
		if err := json.Unmarshal(b, &list); err != nil {
			return t.fail("%w", err)
		}
		return t.list(list)
	}
	object, err := t.object(b)
	if err != nil {
		return err
	}
	if inner, ok := object["labels"]; ok && len(inner) > 0 && (inner[0] == '[' || inner[0] == '{') {
		return t.value(inner)
	} else if ok && string(inner) == "null" {
		return t.fail("has no labels: null stands in their place")
	}
	if t.pair(object) == nil {
		return nil // JSON lines with one line
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		label, err := t.scalar(object[name])
		if err != nil {
			return err
		}
		t.names, t.values = append(t.names, name), append(t.values, label)
	}
	return nil
}

// object reads an object. A name may occur twice only with the same value.
func (t *labelTable) object(b json.RawMessage) (map[string]json.RawMessage, error) {
	if b[0] != '{' {
		return nil, t.fail("holds %s; expected a list or an object", abbreviate(b))
	}
	d, object := json.NewDecoder(bytes.NewReader(b)), map[string]json.RawMessage{}
	_, err := d.Token() // the brace
	for err == nil && d.More() {
		var name json.Token
		if name, err = d.Token(); err != nil {
			break
		}
		var value json.RawMessage
		err = d.Decode(&value)
		key := name.(string)
		if old, twice := object[key]; twice && !bytes.Equal(old, value) {
			return nil, t.fail("has two labels for %q", key)
		}
		object[key] = value
	}
	if err != nil {
		return nil, t.fail("%w", err)
	}
	return object, nil
}

// list reads a list of labels, of pairs of a name and a label, or of objects with both.
func (t *labelTable) list(list []json.RawMessage) error {
	for i, v := range list {
		before := len(t.names)
		switch v[0] {
		case '[':
			var pair []json.RawMessage
			var name string
			if err := json.Unmarshal(v, &pair); err != nil || len(pair) != 2 ||
				json.Unmarshal(pair[0], &name) != nil {
				return t.fail("entry %d is %s; expected [name, label]", i, abbreviate(v))
			}
			label, err := t.scalar(pair[1])
			if err != nil {
				return err
			}
			t.names, t.values = append(t.names, name), append(t.values, label)
		case '{':
			object, err := t.object(v)
			if err != nil {
				return err
			}
			if err := t.pair(object); err != nil {
				return err
			}
		default:
			label, err := t.scalar(v)
			if err != nil {
				return err
			}
			t.values = append(t.values, label)
		}
		if i > 0 && (before > 0) != (len(t.names) > before) {
			return t.fail("entry %d is %s, unlike those before it; expected all with names or "+
				"all without", i, abbreviate(v))
		}
	}
	return nil
}

// pair reads an object with a name and a label.
func (t *labelTable) pair(object map[string]json.RawMessage) error {
	var name string
	for _, key := range nameColumns {
		v, ok := object[key]
		if n, err := t.scalar(v); ok && err == nil && string(v) != "null" {
			name = n
			break
		}
	}
	for _, key := range labelColumns {
		if v, ok := object[key]; ok && name != "" {
			label, err := t.scalar(v)
			if err == nil {
				t.names, t.values = append(t.names, name), append(t.values, label)
			}
			return err
		}
	}
	keys := strings.Join(slices.Sorted(maps.Keys(object)), ", ")
	return t.fail("has an entry with the keys %s; expected file_name and label",
		abbreviate([]byte(keys)))
}

// scalar reads a label: a number, a name, or a truth value, which becomes 1 or 0.
func (t *labelTable) scalar(v json.RawMessage) (string, error) {
	var name string
	switch {
	case len(v) == 0, v[0] == '[', v[0] == '{':
		return "", t.fail("has the label %s; expected a whole number or a name", abbreviate(v))
	case v[0] == '"':
		if err := json.Unmarshal(v, &name); err != nil {
			return "", t.fail("%w", err)
		}
		return name, nil
	case string(v) == "true":
		return "1", nil
	case string(v) == "false":
		return "0", nil
	}
	return string(v), nil
}

func abbreviate(b []byte) string {
	const maxLen = 60
	if len(b) > maxLen {
		return string(b[:maxLen]) + "..."
	}
	return string(b)
}
