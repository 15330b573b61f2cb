package tensorboard

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
	"github.com/plume-ml/plume/trainer/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// crc32c is the checksum by its definition: the remainder of a division of polynomials, bit by bit.
func crc32c(data []byte) uint32 {
	crc := ^uint32(0)
	for _, b := range data {
		crc ^= uint32(b)
		for range 8 {
			crc = crc>>1 ^ 0x82f63b78*(crc&1)
		}
	}
	return ^crc
}

// records cuts a file into its records, and compares their checksums. The rest is a torn record.
func records(t *testing.T, raw []byte) (all [][]byte, rest int) {
	t.Helper()
	check := func(data, stored []byte) {
		crc := crc32c(data)
		if got := binary.LittleEndian.Uint32(stored); got != (crc>>15|crc<<17)+0xa282ead8 {
			t.Fatalf("checksum %08x of %d bytes is wrong", got, len(data))
		}
	}
	for len(raw) >= 12 {
		n := int(binary.LittleEndian.Uint64(raw))
		if len(raw) < 16+n {
			break
		}
		check(raw[:8], raw[8:])
		check(raw[12:12+n], raw[12+n:])
		all, raw = append(all, raw[12:12+n]), raw[16+n:]
	}
	return all, len(raw)
}

// fields reads a message: by the number of the field, each value as its bytes, or as a number.
func fields(t *testing.T, raw []byte) map[int][]any {
	t.Helper()
	all := map[int][]any{}
	varint := func() uint64 {
		v, n := binary.Uvarint(raw)
		if n <= 0 {
			t.Fatal("a number is cut short")
		}
		raw = raw[n:]
		return v
	}
	for len(raw) > 0 {
		key := varint()
		var value any
		switch key & 7 {
		case 0:
			value = varint()
		case 1:
			value = math.Float64frombits(binary.LittleEndian.Uint64(raw))
			raw = raw[8:]
		case 2:
			n := varint()
			value, raw = raw[:n], raw[n:]
		case 5:
			value = math.Float32frombits(binary.LittleEndian.Uint32(raw))
			raw = raw[4:]
		default:
			t.Fatalf("type %d of field %d", key&7, key>>3)
		}
		all[int(key>>3)] = append(all[int(key>>3)], value)
	}
	return all
}

// values are those of a summary, by their tags.
func values(t *testing.T, event map[int][]any) map[string]map[int][]any {
	t.Helper()
	all := map[string]map[int][]any{}
	for _, v := range fields(t, event[5][0].([]byte))[1] {
		value := fields(t, v.([]byte))
		all[string(value[1][0].([]byte))] = value
	}
	return all
}

// told is what the tests write: a session from step 10 with one record and one report.
func told(t *testing.T) (trainer.Start, record.Epoch, trainer.Report) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "grid.png")
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, image.NewGray(image.Rect(0, 0, 7, 5))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, encoded.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	fd, nan := record.Number(1.5), record.Number(math.NaN())
	e := record.Epoch{
		Epoch: 3, Step: 12, ReconMSE: 0.25, PriorLoss: nan, PCA64FD: &fd,
		Time: time.UnixMilli(1_700_000_000_125),
	}
	r := trainer.Report{
		Step: 12, Samples: path, Latent: 2,
		Latents: []float32{-1, 4, 0, 4, 1, 4, 2, float32(math.NaN())},
	}
	return trainer.Start{Dir: dir, Step: 10}, e, r
}

// written runs a session and returns its files' content, in their order.
func written(t *testing.T, l *Log) (files [][]byte) {
	t.Helper()
	start, e, r := told(t)
	h := l.Hook()
	h.OnStart(start)
	h.OnReport(r)
	h.OnEpoch(e)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(start.Dir, Dir, "events.out.tfevents.*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, raw)
	}
	return files
}

// A reader that shares nothing with the writer reads what was told.
func TestEvents(t *testing.T) {
	if got := crc32c([]byte("123456789")); got != 0xe3069283 { // the check value of CRC-32C
		t.Fatalf("the test's own checksum is %08x", got)
	}
	files := written(t, &Log{Files: file.OS})
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	all, rest := records(t, files[0])
	if len(all) != 4 || rest != 0 {
		t.Fatalf("%d records, %d bytes more", len(all), rest)
	}
	if v := fields(t, all[0]); string(v[3][0].([]byte)) != "brain.Event:2" || v[1][0] == 0.0 {
		t.Errorf("the first event is %v", v)
	}
	begun := fields(t, all[1])
	if begun[2][0] != uint64(11) || !bytes.Equal(begun[7][0].([]byte), []byte{8, 1}) {
		t.Errorf("the beginning of the session is %v", begun)
	}
	checkReport(t, fields(t, all[2]))
	e := fields(t, all[3])
	scalars := values(t, e)
	if e[1][0] != 1_700_000_000.125 || e[2][0] != uint64(12) {
		t.Errorf("the record's event is of %v, step %v", e[1], e[2])
	}
	for tag, want := range map[string]float32{
		"epoch/recon_mse": 0.25, "epoch/pca64_fd": 1.5, "epoch/epoch": 3, "epoch/lr": 0,
	} {
		if v := scalars[tag]; v == nil || v[2][0] != want {
			t.Errorf("%s is %v, expected %v", tag, v, want)
		}
	}
	for _, tag := range []string{"epoch/prior_loss", "epoch/time", "epoch/step"} {
		if scalars[tag] != nil {
			t.Errorf("%s is %v; expected none", tag, scalars[tag])
		}
	}
}

func checkReport(t *testing.T, event map[int][]any) {
	t.Helper()
	all := values(t, event)
	if len(all) != 4 || event[2][0] != uint64(12) {
		t.Fatalf("the report has %v", all)
	}
	picture := fields(t, all["samples"][4][0].([]byte))
	c, err := png.DecodeConfig(bytes.NewReader(picture[4][0].([]byte)))
	if err != nil || picture[1][0] != uint64(5) || picture[2][0] != uint64(7) || c.Width != 7 {
		t.Errorf("the picture is %v x %v, %v", picture[1], picture[2], err)
	}
	first := fields(t, all["latents/0"][5][0].([]byte)) // -1, 0, 1, 2
	got := fmt.Sprint(first[1], first[2], first[3], first[4], first[5])
	if want := "[-1] [2] [4] [2] [6]"; got != want {
		t.Errorf("minimum, maximum, number, sum and squares are %s, expected %s", got, want)
	}
	limits, counts := doubles(first[6][0].([]byte)), doubles(first[7][0].([]byte))
	if len(limits) != len(counts) || !slices.IsSorted(limits) || limits[len(limits)-1] != 2 {
		t.Errorf("limits %v of %d bins", limits, len(counts))
	}
	for _, x := range []float64{-1, 0, 1, 2} {
		i, _ := slices.BinarySearch(limits, x+1e-9)
		if i = min(i, len(counts)-1); counts[i] != 1 {
			t.Errorf("the bin of %v has %v", x, counts[i])
		}
	}
	second := fields(t, all["latents/1"][5][0].([]byte)) // 4, 4, 4 and what is not a number
	if second[3][0] != 3.0 || second[1][0] != 4.0 || second[2][0] != 4.0 {
		t.Errorf("the histogram of equal numbers is %v", second)
	}
}

func doubles(raw []byte) (all []float64) {
	for ; len(raw) > 0; raw = raw[8:] {
		all = append(all, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
	}
	return all
}

// Whatever operation fails, the run goes on with one warning, and every file has whole records but
// for the last one of a file that failed.
func TestFailures(t *testing.T) {
	for k := 1; k <= 8; k++ {
		sys := &faultfs.System{Fault: faultfs.FailAt(k, syscall.ENOSPC), Cached: true}
		var warnings []string
		l := &Log{Files: sys, Warn: func(s string) { warnings = append(warnings, s) }}
		complete := 0
		start, e, r := told(t)
		h := l.Hook()
		h.OnStart(start)
		for range 3 {
			h.OnReport(r)
			h.OnEpoch(e)
		}
		_ = l.Close() // may be the operation that fails
		paths, _ := filepath.Glob(filepath.Join(start.Dir, Dir, "*"))
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all, _ := records(t, raw)
			complete += len(all)
		}
		if complete < 6 || len(warnings) > 1 {
			t.Errorf("operation %d: %d whole records, warnings %q", k, complete, warnings)
		}
		if len(warnings) == 1 &&
			!strings.Contains(warnings[0], "no space left on device; training goes on") {
			t.Errorf("operation %d: warning %q", k, warnings[0])
		}
	}
}
