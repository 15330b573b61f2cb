package data

import (
	"math"
	"runtime"
	"slices"
	"testing"
)

// Counts, sums and hashes were computed with Python from the distributed files; of emoji, from the
// sheet as libwebp decodes it.
func TestEmbedded(t *testing.T) {
	for _, tc := range []struct {
		name        string
		m           int
		shape       Shape
		mean        float64
		labels      []int
		first       []int  // labels of the first images
		earlier     string // fingerprint of earlier versions
		fingerprint string
	}{
		{"fashion10k", 10000, Shape{28, 28, 1}, -0.4263014385754301,
			[]int{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000},
			[]int{9, 2, 1, 1, 6, 1, 4, 6, 5, 7}, "4ee90cdbd03b11a6",
			"a4099d9dfdb17c6e53fe6d3947fdbe10"},
		{"digits", 1797, Shape{8, 8, 1}, -0.3894794275180857,
			[]int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180},
			[]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "7f759a00a32e8c16",
			"e35d1741144f8c86c8bbe6ca3c95f9d5"},
		{"emoji", 3762, Shape{32, 32, 3}, 0.5217736379478914,
			[]int{169, 2251, 159, 131, 218, 85, 264, 224, 261},
			[]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "5ab7455db9be1b00",
			"4f6392e7c9290b9a7cf8152f5ec6261b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ds := mustOpen(t, tc.name, Options{})
			if ds.Name() != tc.name || ds.Len() != tc.m || ds.Shape() != tc.shape {
				t.Errorf("%s: %d images of %v", ds.Name(), ds.Len(), ds.Shape())
			}
			sum, lo, hi := 0.0, float32(2), float32(-2)
			pixels := gather(ds)
			for _, v := range pixels {
				sum, lo, hi = sum+float64(v), min(lo, v), max(hi, v)
			}
			// Each pixel is off by at most two roundings of about 1e-7.
			if mean := sum / float64(len(pixels)); math.Abs(mean-tc.mean) > 2*ulp1 {
				t.Errorf("mean pixel %v; expected %v", mean, tc.mean)
			}
			if lo != -1 || hi != 1 {
				t.Errorf("pixels from %v to %v; expected exactly -1 to 1", lo, hi)
			}
			labels := make([]int, len(tc.labels))
			for i := range ds.Len() {
				labels[ds.Label(i)]++
			}
			if !slices.Equal(labels, tc.labels) {
				t.Errorf("label counts %v; expected %v", labels, tc.labels)
			}
			for i, want := range tc.first {
				if got := ds.Label(i); got != want {
					t.Errorf("label %d is %d; expected %d", i, got, want)
				}
			}
			if got := fingerprint(t, ds); got != tc.fingerprint {
				t.Errorf("fingerprint %s; expected %s", got, tc.fingerprint)
			}
			got, err := FingerprintLike(t.Context(), ds, tc.earlier)
			if got != tc.earlier || err != nil {
				t.Errorf("fingerprint %s, %v; expected %s", got, err, tc.earlier)
			}
		})
	}
}

// Pixels 400 to 409 of the last garment, the last line of the digits and, of the last emoji (the
// flag of Wales), row 12 from column 10, as od prints them.
func TestEmbeddedPixels(t *testing.T) {
	ds := mustOpen(t, "fashion10k", Options{})
	row := make([]float32, 784)
	ds.Gather(row, []int{9999})
	wantBytes(t, row[400:410], []byte{0x2d, 0x2d, 0x45, 0x80, 0x64, 0x78, 0x84, 0x7b, 0x87, 0xab})

	ds = mustOpen(t, "digits", Options{})
	ds.Gather(row[:64], []int{1796})
	for i, v := range []float32{0, 0, 10, 14, 8, 1, 0, 0, 0, 2, 16, 14, 6, 1, 0, 0} {
		if row[i] != v/8-1 {
			t.Errorf("pixel %d is %v; expected %v", i, row[i], v/8-1)
		}
	}

	ds = mustOpen(t, "emoji", Options{})
	flag := make([]float32, 32*32*3)
	ds.Gather(flag, []int{3761})
	at := 3 * (12*32 + 10)
	wantBytes(t, flag[at:at+12],
		[]byte{0xc7, 0x98, 0xa2, 0xa9, 0x0f, 0x2f, 0xc9, 0x10, 0x36, 0x82, 0x36, 0x45})
}

func TestEmbeddedClassNames(t *testing.T) {
	for _, tc := range []struct {
		name  string
		names []string
	}{
		{"fashion10k", []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal",
			"Shirt", "Sneaker", "Bag", "Ankle boot"}},
		{"digits", nil},
		{"emoji", []string{"smileys", "people", "animals", "food", "travel", "activities",
			"objects", "symbols", "flags"}},
	} {
		f, err := Find(t.Context(), tc.name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		bytes, size := f.Bytes, f.Len
		ds, err := f.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(f.Summary.ClassNames, tc.names) {
			t.Errorf("%s: classes %q; expected %q", tc.name, f.Summary.ClassNames, tc.names)
		}
		if f.Bytes != bytes || ds.Len() != size {
			t.Errorf("%s: found %d images, %d bytes; read %d, %d", tc.name, size, bytes,
				ds.Len(), f.Bytes)
		}
	}
}

// Reading the emoji allocates what Find announces, within 2 MiB of 35.
func TestEmojiLoading(t *testing.T) {
	f, err := Find(t.Context(), "emoji", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := f.Bytes + f.Loading
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := f.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	got := int64(after.TotalAlloc - before.TotalAlloc)
	if got > want || got < want-2<<20 {
		t.Errorf("reading allocates %d bytes; %d were announced", got, want)
	}
}

func TestUnknownName(t *testing.T) {
	_, err := Open(t.Context(), "fashion10", Options{})
	wantError(t, err, `"fashion10"`, `did you mean "fashion10k"?`, "digits")
	_, err = Open(t.Context(), "Digits", Options{})
	wantError(t, err, `did you mean "digits"?`)
	_, err = Open(t.Context(), "no/such/path", Options{})
	wantError(t, err, "no/such/path", "no such file or directory",
		"digits, emoji, fashion10k", ".npy")
	_, err = Open(t.Context(), "", Options{})
	wantError(t, err, `""`, "digits, emoji, fashion10k")
}
