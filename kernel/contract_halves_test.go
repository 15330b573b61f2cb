package kernel

import "testing"

// halvesFittings are calls for products of halves, and what packs them.
func halvesFittings() []fitting {
	const rows, panels, n, words = 3, 2, 64, 32
	h, bias := &definedPairs, make([]float32, 39)
	mul := func(ldc, rs, jump, bs, rows, panels, n, parts int) func(s [][]float32) {
		return func(s [][]float32) {
			h.Mul(s[0], ldc, false, s[1], rs, jump, s[2], bs, rows, panels, n, parts)
		}
	}
	return []fitting{
		{
			"Mul", []int{2*70 + 64, 2*35 + words, 1030 + words*HalfCols},
			mul(70, 35, 0, 1030, rows, panels, n, 1),
		},
		{
			"Mul in parts", []int{2*64 + 64, 2*10 + 3*words + 2*5, 3 * words * HalfCols * 2},
			mul(64, 10, 5, 3*words*HalfCols, rows, panels, n, 3),
		},
		{
			"Mul of the deepest", []int{HalfCols, MaxRow / HalfCols, MaxRow},
			mul(0, 0, 0, 0, 1, 1, 2*MaxRow/HalfCols, 1),
		},
		{"Mul of no depth", []int{2*64 + 64, 0, 0}, mul(64, 1, 0, 0, rows, panels, 0, 1)},
		{"Mul of no rows", nil, func([][]float32) {
			h.Mul(nil, 64, true, nil, 1, 1, nil, 1, 0, panels, n, 1)
			h.Mul(nil, 64, true, nil, 1, 1, nil, 1, rows, 0, n, 1)
		}},
		{
			"MulSiLU", []int{60 + rows*16, 2*40 + 39, 2*35 + words, 1030 + words*HalfCols},
			func(s [][]float32) {
				h.MulSiLU(s[0], 60, s[1], 40, bias, s[2], 35, 0, s[3], 1030, rows, n, 1)
			},
		},
		{"MulSiLU of nothing", nil, func([][]float32) {
			h.MulSiLU(nil, 60, nil, 40, bias, nil, 1, 1, nil, 1, 0, n, 1)
			h.MulSiLU(nil, 60, nil, 40, nil, nil, 1, 1, nil, 1, rows, n, 1)
		}},
		{"RoundHalves", []int{2*40 + words, 2*50 + 35}, func(s [][]float32) {
			RoundHalves(s[0], 40, s[1], 50, rows, 35, 1)
		}},
		{"RoundHalves of one row", []int{words, 35}, func(s [][]float32) {
			RoundHalves(s[0], 0, s[1], 0, 1, 35, 1)
		}},
		{"RoundHalvesT", []int{2*40 + words, 34*7 + rows}, func(s [][]float32) {
			RoundHalvesT(s[0], 40, s[1], 7, rows, 35, 1)
		}},
		{"InterleavePairs", []int{words * HalfCols, 34*7 + 5}, func(s [][]float32) {
			InterleavePairs(s[0], s[1], 7, 5, 35, 1)
		}},
		{"InterleavePairs of no columns", []int{words * HalfCols, 0}, func(s [][]float32) {
			InterleavePairs(s[0], s[1], 7, 0, 35, 1)
		}},
		{"InterleavePairs of the deepest", []int{MaxRow, MaxRow/16*7 - 2}, func(s [][]float32) {
			InterleavePairs(s[0], s[1], 7, 5, MaxRow/16, 1)
		}},
		{"InterleavePairsT", []int{words * HalfCols, 4*50 + 35}, func(s [][]float32) {
			InterleavePairsT(s[0], s[1], 50, 5, 35, 1)
		}},
		{"InterleavePairsT of no columns", []int{words * HalfCols, 0}, func(s [][]float32) {
			InterleavePairsT(s[0], s[1], 50, 0, 35, 1)
		}},
		{"packing of no halves", nil, func([][]float32) {
			RoundHalves(nil, 9, nil, 9, 0, 35, 1)
			RoundHalves(nil, 9, nil, 9, 3, 0, 1)
			RoundHalvesT(nil, 9, nil, 9, 0, 35, 1)
			InterleavePairs(nil, nil, 9, 3, 0, 1)
			InterleavePairsT(nil, nil, 9, 3, 0, 1)
		}},
	}
}

// TestHalvesNumbers: numbers outside their bounds panic, whatever the slices.
func TestHalvesNumbers(t *testing.T) {
	x, y := make([]float32, 3*MaxRow), make([]float32, 3*MaxRow)
	mul := func(ldc, rs, jump, bs, rows, panels, n, parts int) func() {
		return func() {
			definedPairs.Mul(x, ldc, true, y, rs, jump, y, bs, rows, panels, n, parts)
		}
	}
	for what, f := range map[string]func(){
		"a negative stride":               mul(-1, 1, 1, 1, 1, 1, 32, 1),
		"rows of c onto each other":       mul(63, 1, 1, 1, 2, 2, 32, 1),
		"a negative stride of rows":       mul(64, -1, 1, 1, 1, 1, 32, 1),
		"a negative jump":                 mul(64, 1, -1, 1, 1, 1, 32, 2),
		"a negative stride of panels":     mul(64, 1, 1, -1, 1, 1, 32, 1),
		"negative rows":                   mul(64, 1, 1, 1, -1, 1, 32, 1),
		"negative panels":                 mul(64, 1, 1, 1, 1, -1, 32, 1),
		"a negative depth":                mul(64, 1, 1, 1, 1, 1, -32, 1),
		"half a group":                    mul(64, 1, 1, 1, 1, 1, 48, 1),
		"no parts":                        mul(64, 1, 1, 1, 1, 1, 32, 0),
		"a depth beyond MaxRow":           mul(64, 1, 1, 1, 1, 1, MaxRow/16+32, 1),
		"parts beyond MaxRow":             mul(64, 1, 1, 1, 1, 1, 32, MaxRow/512+1),
		"parts whose product is no int":   mul(64, 1, 1, 1, 1, 1, 1<<32, 1<<33),
		"rows of halves onto each other":  func() { RoundHalves(x, 15, y, 32, 2, 32, 1) },
		"a negative stride of halves":     func() { RoundHalves(x, -1, y, 32, 1, 32, 1) },
		"halves from a negative stride":   func() { RoundHalves(x, 16, y, -1, 1, 32, 1) },
		"negative rows of halves":         func() { RoundHalves(x, 16, y, 32, -1, 32, 1) },
		"a negative depth of halves":      func() { RoundHalves(x, 16, y, 32, 1, -1, 1) },
		"rows T of halves onto another":   func() { RoundHalvesT(x, 15, y, 32, 2, 32, 1) },
		"a negative stride of halves T":   func() { RoundHalvesT(x, -1, y, 32, 1, 32, 1) },
		"halves T from a negative stride": func() { RoundHalvesT(x, 16, y, -1, 1, 32, 1) },
		"negative rows of halves T":       func() { RoundHalvesT(x, 16, y, 32, -1, 32, 1) },
		"too many columns":                func() { InterleavePairs(x, y, 33, 33, 2, 1) },
		"negative columns":                func() { InterleavePairs(x, y, 33, -1, 2, 1) },
		"a negative depth of a panel":     func() { InterleavePairs(x, y, 33, 1, -1, 1) },
		"a panel from a negative stride":  func() { InterleavePairs(x, y, -1, 1, 2, 1) },
		"a panel beyond MaxRow":           func() { InterleavePairs(x, y, 1, 1, MaxRow/16+1, 1) },
		"too many columns T":              func() { InterleavePairsT(x, y, 33, 33, 2, 1) },
		"a negative depth of a panel T":   func() { InterleavePairsT(x, y, 33, 1, -1, 1) },
		"a panel T from a negative one":   func() { InterleavePairsT(x, y, -1, 1, 2, 1) },
		"a panel T beyond MaxRow":         func() { InterleavePairsT(x, y, 1, 1, MaxRow/16+1, 1) },
	} {
		mustPanic(t, what, errLen, f)
	}
	mustPanic(t, "wide rows", errRow, func() { RoundHalves(x, 1, y, 1, 1, MaxRow+1, 1) })
	mustPanic(t, "wide rows T", errRow, func() { RoundHalvesT(x, 1, y, 1, 1, MaxRow+1, 1) })
}
