package kernel

import (
	"errors"
	"syscall"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

// TestStateOfThisSystem: the calls that ask for AMX are the right ones, as far as a machine without
// it can tell: the system saves and permits the registers of the paths that it has.
func TestStateOfThisSystem(t *testing.T) {
	for feature, state := range map[cpuid.FeatureID]uint64{
		cpuid.AVX: 1<<1 | 1<<2, cpuid.AVX512F: 1<<5 | 1<<6 | 1<<7,
	} {
		if !cpuid.CPU.Supports(cpuid.OSXSAVE, feature) {
			continue
		}
		if saved := thisSystem.saved(); saved&state != state {
			t.Errorf("%v: XCR0 is %#x, want the bits %#x", feature, saved, state)
		}
		switch shown, err := thisSystem.shows(); {
		case errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EPERM):
			t.Logf("the system does not say what it permits: %v", err)
		case err != nil || shown&state != state:
			t.Errorf("%v: permitted is %#x (%v), want the bits %#x", feature, shown, err, state)
		}
	}
	if err := thisSystem.request(63); err == nil {
		t.Error("the system permitted a state that does not exist")
	}
}
