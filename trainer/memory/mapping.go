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

// ErrMapping is wrapped by all errors of mappings except those of a full disk.
var ErrMapping = errors.New("memory-mapped file")

// ErrDisk is wrapped by the errors of files that do not fit on the disk.
var ErrDisk = errors.New("not enough disk space")

// Mapping is an array in a file, which need not fit into memory: the system keeps the pages in
// memory that were used last, as far as they fit. The file has no name, so that no other process
// can truncate it, and the system removes it when the process ends, however it ends.
//
// Where the file cannot be read or written, using the array is a fault, which ends the process
// unless it happens within Catch.
type Mapping struct {
	bytes []byte
	file  *os.File // kept open for Check
	dir   string
}

// mappings are the open ones: Catch looks up a fault's address in them.
var mappings struct {
	sync.Mutex
	open []*Mapping
}

// Floats returns elements lo to hi of the mapping as an array of float32.
func (m *Mapping) Floats(lo, hi int) []float32 {
	if lo == hi {
		return []float32{}
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(m.bytes[4*lo:4*hi]))), hi-lo)
}

// Size returns the size of the mapping in bytes.
func (m *Mapping) Size() int64 { return int64(len(m.bytes)) }

// Check returns an error if the file is shorter than the mapping. Reading beyond the end of such a
// file, but within its last page, gives zeros without a fault.
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

// fault returns the error of a fault at addr in the mapping.
func (m *Mapping) fault(addr uintptr) error {
	if err := m.Check(); err != nil {
		return err
	}
	at := addr - uintptr(unsafe.Pointer(unsafe.SliceData(m.bytes)))
	return fmt.Errorf("%w of %s in %s: the system could not read or write it at byte %d: "+
		"a failing or full disk, of which the system's log may say more",
		ErrMapping, Human(m.Size()), m.dir, at)
}

// Catch calls f. A fault in a mapping, in this goroutine, ends f and is returned as an error that
// says in which directory the file is and what happened to it. Any other panic is passed on.
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

// unaddressed is the message of a fault whose address is unknown, as under user-mode emulators, or
// is that of a nil pointer.
const unaddressed = "runtime error: invalid memory address or nil pointer dereference"

// faultError returns the error of a fault in a mapping, and panics again with any other cause.
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

// enter adds m to the open mappings.
func (m *Mapping) enter() {
	mappings.Lock()
	defer mappings.Unlock()
	mappings.open = append(mappings.open, m)
}

// leave removes m from the open mappings.
func (m *Mapping) leave() {
	mappings.Lock()
	defer mappings.Unlock()
	mappings.open = slices.DeleteFunc(mappings.open, func(o *Mapping) bool { return o == m })
}
