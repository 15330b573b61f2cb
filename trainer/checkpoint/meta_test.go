package checkpoint

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// FuzzMeta checks that sealed text is parsed without a panic, that accepted content survives
// encoding, and that every flipped bit is detected.
func FuzzMeta(f *testing.F) {
	whole := metaFile{Meta: Meta{Format: currentFormat, Saved: 3, Step: 12, Version: "v0.1.0",
		Config: "a = \"é\"\n"},
		StateBytes: 99, SHA256: strings.Repeat("0a", 32)}
	text, err := whole.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text[:len(text)-sealBytes], uint(7))
	f.Add([]byte("{\n"), uint(0))
	f.Add([]byte(`{"format": 3, "version": "v9",`+"\n"), uint(1))
	f.Add([]byte(`{"FORMAT": 2, "format": 1, "Step": -1,`+"\n"), uint(1))
	f.Add([]byte(`{"a": `+strings.Repeat("[", 1<<16)), uint(1))
	f.Fuzz(func(t *testing.T, inside []byte, flip uint) {
		if _, err := parseMeta(inside); err == nil && !bytes.HasSuffix(inside, []byte(sealEnd)) {
			t.Fatal("accepted without a seal")
		}
		sealedText := seal(bytes.Clone(inside))
		m, err := parseMeta(sealedText)
		if err != nil {
			return
		}
		again, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseMeta(again)
		if err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("%+v became %+v, %v", m, back, err)
		}
		bit := flip % uint(8*len(sealedText))
		sealedText[bit/8] ^= 1 << (bit % 8)
		if _, err := parseMeta(sealedText); !errors.Is(err, ErrDamaged) {
			t.Fatalf("a flip of bit %d gives %v", bit, err)
		}
	})
}
