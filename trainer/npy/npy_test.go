package npy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/npy"
)

// source reads from b.
func source(b io.Reader) npy.Source {
	return npy.Source{
		Fill: func(buf []byte) error { _, err := io.ReadFull(b, buf); return err },
		Fail: func(format string, args ...any) error { return fmt.Errorf("file "+format, args...) },
	}
}

var float64s = npy.Dtype{Kind: npy.Float, Width: 8}

func TestReadFloats64(t *testing.T) {
	b := []byte{
		0, 0, 0, 0, 0, 0, 0xf8, 0x3f,
		0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0xbf,
		0, 0, 0, 0,
	}
	got := make([]float32, 2)
	n, err := npy.ReadFloats(bytes.NewReader(b), float64s, got)
	if n != 2 || err != nil || got[0] != 1.5 || got[1] != -0.1 {
		t.Errorf("read %d, %v: %v", n, err, got)
	}
	got = make([]float32, 3)
	n, err = npy.ReadFloats(bytes.NewReader(b), float64s, got)
	if n != 2 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %d of a file that ends, %v", n, err)
	}
	n, err = npy.ReadFloats(bytes.NewReader(b[:16]), float64s, got)
	if n != 2 || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %d of a file that ends, %v", n, err)
	}
}

// Errors of Fill are returned.
func TestReadHeaderErrors(t *testing.T) {
	var file bytes.Buffer
	if err := npy.Write(&file, []float32{1, 2}, 2); err != nil {
		t.Fatal(err)
	}
	_, err := npy.ReadHeader(source(bytes.NewReader(file.Bytes()[:9])))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, expected the error of Fill", err)
	}
	_, err = npy.ReadHeader(source(strings.NewReader("no .npy file")))
	if err == nil || !strings.Contains(err.Error(), "magic string") {
		t.Errorf("%v, expected one of the magic string", err)
	}
}
