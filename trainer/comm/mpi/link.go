//go:build mpi

package mpi

// #include <stdlib.h>
// #include "link.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// library is the engine of an MPI library. One OS thread makes all calls, since MPI allows one call
// at a time, and wants the last one from the thread that made the first.
type library struct {
	link     *C.plume_link
	calls    chan func()
	size     int
	messages []C.plume_message
	pinner   runtime.Pinner
}

// start calls MPI_Init_thread. It returns the own rank and the number of ranks.
func start(chunk int) (l *library, rank, size int, err error) {
	l = &library{calls: make(chan func())}
	l.link = (*C.plume_link)(C.calloc(1, C.sizeof_plume_link))
	l.link.chunk = C.size_t(chunk)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for call := range l.calls {
			call()
		}
	}()
	l.on(func() {
		var r C.int
		err = l.problem(C.plume_start(l.link, &r))
		rank, size = int(r), int(l.link.size)
	})
	l.size = size
	return l, rank, size, err
}

// on makes a call on MPI's thread.
func (l *library) on(call func()) {
	done := make(chan struct{})
	l.calls <- func() {
		defer close(done)
		call()
	}
	<-done
}

// exchange implements link. The messages' memory is pinned while MPI has it, and for ever if the
// exchange fails, since MPI may still write there.
func (l *library) exchange(tag int, all []message) (err error) {
	if len(all) == 0 {
		return nil
	}
	l.messages = l.messages[:0]
	for _, m := range all {
		c := C.plume_message{bytes: C.size_t(len(m.data)), peer: C.int(m.peer)}
		if len(m.data) > 0 {
			l.pinner.Pin(&m.data[0])
			c.data = unsafe.Pointer(&m.data[0])
		}
		if m.out {
			c.out = 1
		}
		l.messages = append(l.messages, c)
	}
	l.on(func() {
		err = l.problem(C.plume_exchange(l.link, &l.messages[0], C.int(len(all)), C.int(tag)))
	})
	if err == nil {
		l.pinner.Unpin()
		clear(l.messages) // cgo looks at all that a slice has room for
	} else if other := (*surprise)(nil); errors.As(err, &other) {
		other.wantTag = tag
	} else if errors.Is(err, errStopped) {
		select {} // abort ends the process, and its caller says why
	}
	return err
}

var errStopped = errors.New("this rank has aborted")

// problem is the error of a result of C.
func (l *library) problem(code C.int) error {
	switch code {
	case 0:
		return nil
	case C.plume_surprise:
		return &surprise{peer: int(l.link.peer), tag: int(l.link.tag), bytes: int(l.link.bytes),
			wantLength: int(l.link.expected)}
	case C.plume_stopped:
		return errStopped
	case C.plume_memory:
		return errors.New("not enough memory for the list of messages")
	}
	return fmt.Errorf("MPI says %q (the last message was from or to rank %d)",
		text(func(to *C.char, room C.int) { C.plume_error(code, to, room) }), l.link.peer)
}

// text is what a function of C writes.
func text(write func(to *C.char, room C.int)) string {
	const room = 1 << 13
	to := (*C.char)(C.calloc(1, room))
	defer C.free(unsafe.Pointer(to))
	write(to, room)
	return C.GoString(to)
}

// Library is the version of the MPI library.
func Library() string {
	all := text(func(to *C.char, room C.int) { C.plume_library(to, room) })
	first, _, _ := strings.Cut(all, "\n")
	first, _, _ = strings.Cut(first, ", package")
	return strings.Join(strings.Fields(first), " ")
}

func (l *library) waiting() (ranks []int) {
	for r := range l.size {
		if C.plume_left(l.link, C.int(r)) > 0 {
			ranks = append(ranks, r)
		}
	}
	return ranks
}

// abort lets an exchange end, so that MPI is called once at a time; if it does not, being inside of
// MPI, it calls MPI_Abort regardless. The process has ended before abort could return.
func (l *library) abort(code int) {
	C.plume_stop(l.link)
	select {
	case l.calls <- func() { C.plume_abort(C.int(code)) }:
		time.Sleep(10 * time.Second)
	case <-time.After(time.Second):
		C.plume_abort(C.int(code))
	}
	os.Exit(code)
}

func (l *library) finalize() (err error) {
	l.on(func() { err = l.problem(C.plume_finalize()) })
	close(l.calls)
	return err
}
