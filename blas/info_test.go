package blas

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// TestInfo: every backend says what it is.
func TestInfo(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		info := Info()
		if info.Backend != Default().name || !strings.HasSuffix(t.Name(), "/"+info.Backend) {
			t.Errorf("%s says that it is %q", t.Name(), info.Backend)
		}
		if info.Threads != 1 {
			t.Errorf("%d threads per call, want 1", info.Threads)
		}
		if info.Library == "" || (info.Backend == "openblas") != (info.Core != "") {
			t.Errorf("%+v", info)
		}
	})
}

// TestUse: an unknown backend is refused, with the names of those that there are, and changes
// nothing.
func TestUse(t *testing.T) {
	before := Default()
	if !slices.Contains(Available(), "native") || !slices.Contains(Available(), "gonum") ||
		before.name != Available()[0] {
		t.Errorf("the default is %s of %v", before.name, Available())
	}
	err := Use("mkl")
	if err == nil || !strings.Contains(err.Error(), `"mkl"`) ||
		!strings.Contains(err.Error(), strings.Join(Available(), ", ")) {
		t.Errorf("error %v", err)
	}
	if Default() != before {
		t.Errorf("the default is %s", Default().name)
	}
}

// TestOrder: native is the default where it is known to be the fastest, and the last choice without
// assembly.
func TestOrder(t *testing.T) {
	some := &Backend{name: "library"}
	for _, c := range []struct {
		tiles  kernel.TileKind
		linked *Backend
		want   string
	}{
		{kernel.MeasuredTiles, some, "native library gonum"},
		{kernel.MeasuredTiles, nil, "native gonum"},
		{kernel.AssemblyTiles, some, "library native gonum"},
		{kernel.AssemblyTiles, nil, "native gonum"},
		{kernel.PortableTiles, some, "library gonum native"},
		{kernel.PortableTiles, nil, "gonum native"},
	} {
		var names []string
		for _, b := range inOrder(c.linked, c.tiles) {
			names = append(names, b.name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%v, library %v: %s, want %s", c.tiles, c.linked != nil, got, c.want)
		}
	}
}

func TestCoreWarning(t *testing.T) {
	for _, c := range []struct {
		core, coretype, l2 string
		cpu                level
		want               []string // parts of the warning; none: no warning
	}{
		{"SkylakeX", "", "", levelAVX512, nil},
		{"Cooperlake", "", "", levelAVX512, nil},
		{"SapphireRapids", "", "", levelAVX512, nil},
		{"Haswell", "", "", levelAVX2, nil},
		{"Zen", "", "", levelAVX2, nil},
		{"Haswell", "", "", levelAVX, nil},
		{"Haswell", "", "", levelUnknown, nil},
		{"NewLake", "", "", levelAVX512, nil}, // not judged
		{"armv8", "", "", levelUnknown, nil},
		{"Haswell", "", "", levelAVX512, []string{"Haswell", "(AVX2)", "AVX-512"}},
		{"Haswell", "Haswell", "", levelAVX512,
			[]string{"Haswell", "AVX-512", "unset OPENBLAS_CORETYPE=Haswell"}},
		{"Prescott", "", "", levelAVX2,
			[]string{"Prescott", "(SSE)", "AVX2", "set OPENBLAS_CORETYPE=Haswell"}},
		{"Prescott", "", "", levelAVX512, []string{"set OPENBLAS_CORETYPE=SkylakeX"}},
		{"Sandybridge", "", "", levelAVX2, []string{"(AVX)", "AVX2"}},
		{"SkylakeX", "SkylakeX", "512", levelAVX512, []string{"OPENBLAS_L2_SIZE=512", "unset"}},
		{"Haswell", "Haswell", "512", levelAVX512,
			[]string{"OPENBLAS_CORETYPE=Haswell", ". OPENBLAS_L2_SIZE=512"}},
	} {
		got := coreWarning(c.core, c.coretype, c.l2, c.cpu)
		if (got == "") != (len(c.want) == 0) {
			t.Errorf("%+v: %q", c, got)
		}
		for _, part := range c.want {
			if !strings.Contains(got, part) {
				t.Errorf("%+v: %q lacks %q", c, got, part)
			}
		}
	}
}

// TestNotReady: a backend that cannot be used is passed over as the default, which is said, and
// refused when it is asked for, which changes nothing.
func TestNotReady(t *testing.T) {
	loads := 0
	broken := &Backend{
		name: "broken", load: func() error { loads++; return errors.New("no library") },
	}
	before, list := current.Load(), backends
	defer func() { current.Store(before); backends = list }()
	backends = []*Backend{broken, &nativeBackend}
	current.Store(firstReady(backends))
	if Default() != &nativeBackend || loads != 1 {
		t.Errorf("%s is the default, after %d loads", Default().name, loads)
	}
	if w := Info().Warning; !strings.Contains(w, "broken is not used") ||
		!strings.Contains(w, "no library") {
		t.Errorf("warning %q", w)
	}
	if err := Use("broken"); err == nil || !strings.Contains(err.Error(), "no library") ||
		Default() != &nativeBackend {
		t.Errorf("%v, and %s is the default", err, Default().name)
	}
	if err := Use("native"); err != nil || Info().Warning != "" {
		t.Errorf("%v, %q", err, Info().Warning)
	}
}

// TestFirstIsEnough: backends after the first that is ready are not touched.
func TestFirstIsEnough(t *testing.T) {
	second := &Backend{name: "second", load: func() error { t.Error("loaded"); return nil }}
	c := firstReady([]*Backend{&nativeBackend, second})
	if c.backend != &nativeBackend || c.passedOver != nil {
		t.Errorf("%s, %v", c.backend.name, c.passedOver)
	}
}
