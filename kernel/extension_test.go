package kernel

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

// TestAMXIsAskedFor goes through what a system may answer.
func TestAMXIsAskedFor(t *testing.T) {
	const both, all = 3 << 17, 3<<17 | 0xe7
	type answers struct {
		env            string
		saved          uint64
		request, shows error
		shown          uint64
	}
	for _, c := range []struct {
		name string
		answers
		want  string // "": granted
		asked int    // requests
	}{
		{"granted", answers{saved: all, shown: both}, "", 1},
		{"granted, and asked for", answers{env: "1", saved: all, shown: both}, "", 1},
		{"refused", answers{env: "0", saved: all, shown: both}, "PLUME_AMX=0", 0},
		{"registers are not saved", answers{saved: 0xe7}, "the system does not save its", 0},
		{"contents are not saved", answers{saved: 1 << 17}, "the system does not save", 0},
		{"configuration is not saved", answers{saved: 1 << 18}, "the system does not save", 0},
		{"a filter of system calls", answers{saved: all, request: syscall.EPERM, shown: both},
			"the system does not permit it: operation not permitted", 1},
		{"a small signal stack", answers{saved: all, request: syscall.ENOSPC, shown: both},
			"the system does not permit it: no space left on device", 1},
		{"an old system", answers{saved: all, request: syscall.ENOSYS, shown: both},
			"the system does not permit it: function not implemented", 1},
		{"granted but not shown", answers{saved: all, shown: 0xe7},
			"the system permitted it but does not show it", 1},
		{"no answer", answers{saved: all, shows: syscall.EINVAL},
			"the system permitted it but does not show it: invalid argument", 1},
	} {
		asked := 0
		s := tileSystem{
			saved: func() uint64 { return c.saved },
			request: func(state int) error {
				if asked++; state != 18 {
					t.Errorf("%s: asked for state %d, want 18, that of tiles", c.name, state)
				}
				return c.request
			},
			shows: func() (uint64, error) { return c.shown, c.shows },
		}
		err := s.ask(c.env)
		if ok := err == nil && c.want == "" ||
			err != nil && c.want != "" && strings.HasPrefix(err.Error(), c.want); !ok {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if asked != c.asked {
			t.Errorf("%s: %d requests, want %d", c.name, asked, c.asked)
		}
	}
	if err := (tileSystem{}).ask(""); err == nil {
		t.Error("granted by a system that has no request")
	}
}

// TestExtensionNeedsFeatures: an extension whose CPU lacks a feature is not asked for.
func TestExtensionNeedsFeatures(t *testing.T) {
	asked := errors.New("asked")
	other := cpuid.ASIMD
	if cpuid.CPU.Supports(other) {
		other = cpuid.SSE2
	}
	e := extension{"wide", paths[0], nil, nil, func() error { return asked }, nil}
	if err := e.lacks(); err != asked {
		t.Errorf("an extension without needs: %v, want what the system says", err)
	}
	e.needs = []cpuid.FeatureID{other}
	if err := e.lacks(); err != errNoCPU {
		t.Errorf("an extension that needs %v: %v", other, err)
	}
	e.needs, e.path = nil, &path{}
	if err := e.lacks(); err != errNoCPU {
		t.Errorf("an extension of a path that is not there: %v", err)
	}
}

// TestExtensionsAreChosen: all that the machine gains by, or the one asked for; none beside a path
// that was asked for.
func TestExtensionsAreChosen(t *testing.T) {
	_, all, _ := choose("")
	for _, p := range paths {
		if _, list, _ := choose(p.name); len(list) > 0 {
			t.Errorf("%s brings extensions", p.name)
		}
	}
	for i := range extensions {
		e := &extensions[i]
		p, list, err := choose(e.name)
		if lack := e.lacks(); lack != nil {
			if p != &generic || err == nil || !strings.HasSuffix(err.Error(), lack.Error()) {
				t.Errorf("%s: path %s, %v; want generic, %v", e.name, p.name, err, lack)
			}
			if slices.Contains(all, e) {
				t.Errorf("%s is used, but the machine lacks it", e.name)
			}
			continue
		}
		if p != e.path || err != nil || len(list) != 1 || list[0] != e {
			t.Errorf("%s: path %s with %d extensions, %v", e.name, p.name, len(list), err)
		}
		pays := e.pays == nil || e.pays()
		if e.path == paths[0] && slices.Contains(all, e) != pays {
			t.Errorf("%s is used by default: %v; it pays: %v", e.name, !pays, pays)
		}
	}
}

// TestExtensionsInUse: what the package says of them is what is in use.
func TestExtensionsInUse(t *testing.T) {
	used, why := AMX()
	if used != (BF16Halves() != nil) || used == (why != "") {
		t.Errorf("AMX is used: %t, because %q; its products are %v", used, why, BF16Halves())
	}
	for name, h := range map[string]*Halves{"amx": BF16Halves(), "avx512bf16": PairHalves()} {
		if in := slices.Contains(Info().Extensions, name); in != (h != nil) {
			t.Errorf("extension %s is named: %t; its products are %v", name, in, h)
		}
	}
}

const envAMXChild = "PLUME_TEST_AMX"

// TestAMXEnvironment: PLUME_AMX and PLUME_KERNEL keep AMX out of use, in processes of their own.
func TestAMXEnvironment(t *testing.T) {
	if os.Getenv(envAMXChild) != "" {
		used, why := AMX()
		fmt.Printf("AMX %t, %s; %v\n", used, why, Err())
		os.Exit(0)
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("AMX is of amd64, and an emulator cannot start this test again")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	missing := ""
	for i := range extensions {
		if e := &extensions[i]; e.name == amxName && !cpuid.CPU.Supports(e.needs...) {
			missing = errNoCPU.Error()
		}
	}
	why := func(reason string) string { // where the CPU lacks AMX, that is said first
		if missing != "" {
			return missing
		}
		return reason
	}
	for _, c := range [][3]string{
		{"0", "", "AMX false, " + why("PLUME_AMX=0") + "; <nil>"},
		{"off", "", "; PLUME_AMX=off: 0 keeps AMX from being used, and 1 is the default"},
		{"", "generic", "AMX false, PLUME_KERNEL=generic; <nil>"},
		{"0", "amx", "AMX false, " + why("PLUME_AMX=0") + "; PLUME_KERNEL=amx: "},
	} {
		cmd := exec.Command(self, "-test.run=^TestAMXEnvironment$")
		cmd.Env = append(
			os.Environ(), envAMXChild+"=1", EnvAMX+"="+c[0], EnvPath+"="+c[1],
		)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c[2]) {
			t.Errorf("PLUME_AMX=%s PLUME_KERNEL=%s: %v, %s; want %s", c[0], c[1], err, out, c[2])
		}
	}
}
