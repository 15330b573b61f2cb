package kernel

import (
	"syscall"
	"unsafe"

	"github.com/plume-ml/plume/asm/amx"
)

// Codes of arch_prctl that Linux has since 5.16 (asm/prctl.h).
const (
	archGetPermitted = 0x1022
	archRequest      = 0x1023
)

var thisSystem = tileSystem{
	saved: amx.XCR0,
	request: func(state int) error {
		_, _, errno := syscall.RawSyscall(
			syscall.SYS_ARCH_PRCTL, archRequest, uintptr(state), 0,
		)
		return orNil(errno)
	},
	shows: func() (state uint64, err error) {
		_, _, errno := syscall.RawSyscall(
			syscall.SYS_ARCH_PRCTL, archGetPermitted, uintptr(unsafe.Pointer(&state)), 0,
		)
		return state, orNil(errno)
	},
}

// orNil is the error, if it is one.
func orNil(errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
