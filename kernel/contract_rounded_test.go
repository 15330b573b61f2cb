package kernel

import "testing"

// roundedFittings are calls for products of rounded factors.
func roundedFittings() []fitting {
	rows, cols := GroupsShape()
	const n = 35
	ldc, lds := cols+3, cols+1
	last := func(apart, n int) int { return (rows-1)*apart + n }
	groups := func(lds, rs, cs, jump, n, parts int) func(s [][]float32) {
		return func(s [][]float32) {
			MulGroups(s[0], ldc, s[1], lds, s[2], rs, cs, jump, s[3], rows, n, parts)
		}
	}
	all := []fitting{
		{
			"MulGroups",
			[]int{last(ldc, cols), last(lds, cols), last(2, 1) + (n-1)*2*rows, n * cols},
			groups(lds, 2, 2*rows, 0, n, 1),
		},
		{
			"MulGroups from one row", []int{last(ldc, cols), cols, last(n, n), n * cols},
			groups(0, n, 1, 0, n, 1),
		},
		{
			"MulGroups of the deepest",
			[]int{last(ldc, cols), cols, last(1, 1) + (MaxRow/cols-1)*rows, MaxRow},
			groups(0, 1, rows, 0, MaxRow/cols, 1),
		},
		{
			"MulGroups in parts",
			[]int{last(ldc, cols), cols, last(7, 1) + 4*GroupDepth + 7, 4 * GroupDepth * cols},
			groups(0, 7, 1, 8, 2*GroupDepth, 2),
		},
		{
			"MulGroups of no depth", []int{last(ldc, cols), last(lds, cols), 0, 0},
			groups(lds, 1, 1, 0, 0, 1),
		},
		{
			"MulGroups of one row", []int{cols, cols, n, n * cols},
			func(s [][]float32) { MulGroups(s[0], 0, s[1], 0, s[2], 0, 1, 0, s[3], 1, n, 1) },
		},
		{
			"MulGroups of no rows", nil,
			func([][]float32) { MulGroups(nil, ldc, nil, lds, nil, 1, 1, 0, nil, 0, n, 1) },
		},
	}
	for name, f := range roundings {
		all = append(all, fitting{
			name, []int{4*40 + 36, 4*7 + 36},
			func(s [][]float32) { f(s[0], 40, s[1], 7, 36, 5, 2) },
		}, fitting{
			name + " of one row", []int{36, 36},
			func(s [][]float32) { f(s[0], 0, s[1], 0, 36, 1, 2) },
		}, fitting{
			name + " of nothing", nil,
			func([][]float32) { f(nil, 40, nil, 7, 36, 0, 2); f(nil, 0, nil, 0, 0, 9, 2) },
		})
	}
	return all
}

// roundings are the functions that round factors.
var roundings = map[string]rounding{
	"RoundRows": RoundRows, "RoundRest": RoundRest, "RoundPairs": RoundPairs,
}

// TestRoundedNumbers: numbers outside their bounds panic, whatever the slices.
func TestRoundedNumbers(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		rows, cols := GroupsShape()
		x := make([]float32, 3*MaxRow)
		tile := func(ldc, rows, n, parts int) func() {
			return func() { MulGroups(x, ldc, x, 0, x, 1, 1, 0, x, rows, n, parts) }
		}
		for what, f := range map[string]func(){
			"a negative stride":               tile(-1, 1, 2, 1),
			"negative rows":                   tile(cols, -1, 2, 1),
			"a row too many":                  tile(cols, rows+1, 2, 1),
			"a negative depth":                tile(cols, 1, -1, 1),
			"a depth beyond MaxRow":           tile(cols, 1, MaxRow/cols+1, 1),
			"no parts":                        tile(cols, 1, 32, 0),
			"parts beyond MaxRow":             tile(cols, 1, 32, MaxRow/cols/32+1),
			"parts that split groups":         tile(cols, 1, 48, 2),
			"pairs in a row of odd length":    func() { RoundPairs(x, 9, x, 9, 9, 1, 1) },
			"rounding of negative rows":       func() { RoundRows(x, 8, x, 8, 8, -1, 1) },
			"rounding of negative columns":    func() { RoundRows(x, 8, x, 8, -1, 1, 1) },
			"rounded rows onto each other":    func() { RoundRest(x, 7, x, 8, 8, 2, 1) },
			"rounding at a negative stride":   func() { RoundRest(x, -1, x, 8, 8, 1, 1) },
			"rounding from a negative stride": func() { RoundPairs(x, 8, x, -1, 8, 1, 1) },
		} {
			mustPanic(t, what, errLen, f)
		}
		mustPanic(t, "wide rows", errRow, func() { RoundRows(x, 1, x, 1, MaxRow+1, 1, 1) })
	})
}
