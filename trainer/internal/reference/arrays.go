package reference

import (
	"cmp"
	"reflect"
	"slices"
	"unsafe"
)

// ArrayBytes returns the size, in bytes, of all arrays of numbers reachable from x through
// pointers, structs, slices, interfaces and what waits in channels, which nobody may be using
// meanwhile. Memory that several slices share counts once. Maps and functions are not followed.
func ArrayBytes(x any) int64 {
	w := walker{seen: map[visit]bool{}}
	w.walk(reflect.ValueOf(x))
	slices.SortFunc(w.spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	var sum int64
	end := uintptr(0)
	for _, s := range w.spans {
		if s.hi > end {
			sum += int64(s.hi - max(s.lo, end))
			end = s.hi
		}
	}
	return sum
}

type span struct{ lo, hi uintptr }

// visit identifies a pointer that was followed, so that cycles end.
type visit struct {
	at uintptr
	t  reflect.Type
}

type walker struct {
	seen  map[visit]bool
	spans []span
}

func (w *walker) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		w.walk(v.Elem())
	case reflect.Pointer:
		if !v.IsNil() && w.first(v) {
			w.walk(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			w.walk(v.Field(i))
		}
	case reflect.Slice:
		w.slice(v)
	case reflect.Chan:
		w.channel(v)
	}
}

// channel takes everything out of a channel, and puts it in again.
func (w *walker) channel(v reflect.Value) {
	at := v.UnsafePointer()
	v = reflect.NewAt(v.Type(), unsafe.Pointer(&at)).Elem() // unlike v, it may be received from
	for range v.Len() {
		x, _ := v.Recv()
		w.walk(x)
		v.Send(x)
	}
}

func (w *walker) first(v reflect.Value) bool {
	k := visit{v.Pointer(), v.Type()}
	seen := w.seen[k]
	w.seen[k] = true
	return !seen
}

func (w *walker) slice(v reflect.Value) {
	switch element := v.Type().Elem(); element.Kind() {
	case reflect.Int, reflect.Int32, reflect.Uint8, reflect.Uint32, reflect.Uint64, reflect.Float32,
		reflect.Float64:
		lo := v.Pointer()
		w.spans = append(w.spans, span{lo, lo + uintptr(v.Cap())*element.Size()})
	default:
		for i := range v.Len() {
			w.walk(v.Index(i))
		}
	}
}
