package record

import (
	"math"
	"reflect"
	"strings"
)

// column is a number of an Epoch: its name in JSON, and its place.
type column struct {
	name  string
	index int
}

var columns = func() (all []column) {
	for i := range reflect.TypeFor[Epoch]().NumField() {
		field := reflect.TypeFor[Epoch]().Field(i)
		switch field.Type {
		case reflect.TypeFor[Number](), reflect.TypeFor[*Number](), reflect.TypeFor[int]():
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			all = append(all, column{name, i})
		}
	}
	return all
}()

// Columns returns the names of the numbers of a record, as in metrics.jsonl.
func Columns() (names []string) {
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// Value returns the number with that name, one of Columns: NaN if the record lacks it, or if there
// is no such number.
func (e Epoch) Value(name string) float64 {
	for _, c := range columns {
		if c.name != name {
			continue
		}
		switch v := reflect.ValueOf(e).Field(c.index).Interface().(type) {
		case Number:
			return float64(v)
		case int:
			return float64(v)
		case *Number:
			if v != nil {
				return float64(*v)
			}
		}
	}
	return math.NaN()
}

// Curve returns the points of a learning curve: in every record that has both, the number x and the
// number y. The arrays are of the same length.
func Curve(records []Epoch, x, y string) (xs, ys []float64) {
	for _, e := range records {
		a, b := Number(e.Value(x)), Number(e.Value(y))
		if a.Finite() && b.Finite() {
			xs, ys = append(xs, float64(a)), append(ys, float64(b))
		}
	}
	return xs, ys
}
