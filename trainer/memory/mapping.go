package memory

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"unsafe"
)

// ErrMapping is wrapped by the errors of arrays that lie in files, but for those of a full disk.
var ErrMapping = errors.New("memory-mapped file")

// ErrDisk is wrapped by the errors of files for which the disk has no room.
var ErrDisk = errors.New("not enough disk space")

// Mapping is an array that lies in a file and need not fit the machine's memory: the system keeps
// in memory what was used last and has room. The file has no name, so that nobody else can cut it
// and nothing is left of it when the process ends, however it ends.
//
// Where the file cannot be read or written, using the array is a fault, which ends the process
// unless it happens within Catch.
type Mapping struct {
	bytes []byte
	file  *os.File // kept open to tell its size
	dir   string
}

// mappings are those that are open, for Catch to know a fault by its address.
var mappings struct {
	sync.Mutex
	open []*Mapping
}

// Floats is element lo to hi of the mapping as an array of float32.
func (m *Mapping) Floats(lo, hi int) []float32 {
	if lo == hi {
		return []float32{}
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(m.bytes[4*lo:4*hi]))), hi-lo)
}

// Size is the bytes of the mapping.
func (m *Mapping) Size() int64 { return int64(len(m.bytes)) }

// Check is an error if the file is shorter than the mapping: what lies in the rest of its last page
// would otherwise read as zeros, without a fault.
func (m *Mapping) Check() error {
	info, err := m.file.Stat()
	if err != nil {
		return fmt.Errorf("%w of %s in %s: %w", ErrMapping, Human(m.Size()), m.dir, err)
	}
	if info.Size() < m.Size() {
		return fmt.Errorf("%w of %s in %s: it was cut to %d bytes while in use",
			ErrMapping, Human(m.Size()), m.dir, info.Size())
	}
	return nil
}

// fault is the error of a fault in the mapping.
func (m *Mapping) fault(addr uintptr) error {
	if err := m.Check(); err != nil {
		return err
	}
	at := addr - uintptr(unsafe.Pointer(unsafe.SliceData(m.bytes)))
	return fmt.Errorf("%w of %s in %s: the system could not read or write it at byte %d: "+
		"a failing or full disk, of which the system's log may say more", ErrMapping, Human(m.Size()), m.dir, at)
}

// Catch calls f. A fault in a mapping, in this goroutine, ends f and is returned as an error that says
// where the file lies and what happened to it. Any other panic goes on.
func Catch(f func()) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if cause := recover(); cause != nil {
			err = faultError(cause)
		}
	}()
	f()
	return nil
}

// unaddressed is the fault of which the system does not tell the address, as emulators of user
// programs do not, or which is that of a nil pointer.
const unaddressed = "runtime error: invalid memory address or nil pointer dereference"

// faultError is the error of a fault in a mapping; other causes panic again.
func faultError(cause any) error {
	fault, ok := cause.(runtime.Error)
	if !ok {
		panic(cause)
	}
	mappings.Lock()
	defer mappings.Unlock()
	addressed, ok := fault.(interface{ Addr() uintptr })
	for _, m := range mappings.open {
		start := uintptr(unsafe.Pointer(unsafe.SliceData(m.bytes)))
		if ok && addressed.Addr() >= start && addressed.Addr()-start < uintptr(len(m.bytes)) {
			return m.fault(addressed.Addr())
		}
		if !ok && fault.Error() == unaddressed && m.Check() != nil {
			return m.Check()
		}
	}
	panic(cause)
}

// enter makes Catch know the mapping, leave makes it forget.
func (m *Mapping) enter() {
	mappings.Lock()
	defer mappings.Unlock()
	mappings.open = append(mappings.open, m)
}

func (m *Mapping) leave() {
	mappings.Lock()
	defer mappings.Unlock()
	mappings.open = slices.DeleteFunc(mappings.open, func(o *Mapping) bool { return o == m })
}
