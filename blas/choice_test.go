package blas

import "testing"

// TestFactorsKeepBackends: factors of every backend are used in turns in one process, and each has
// the bits of products by its own, whatever the default has become.
func TestFactorsKeepBackends(t *testing.T) {
	const m, n, k = 29, 47, 130
	s := newSource(1)
	p, bias := s.factored(T, [3]int{m, n, k}, true)
	factors := map[string]*Factor{}
	want := map[string]Matrix{}
	for _, name := range Available() {
		b, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		chosen := b.Factor()
		factors["chosen "+name] = &chosen
		t.Run(name, func(t *testing.T) {
			use(t, name)
			factors["default "+name] = new(Factor)
			factors["default "+name].Set(p.tb, p.b)
			want["chosen "+name] = p.mul(factors["default "+name], bias)
			want["default "+name] = want["chosen "+name]
		})
	}
	for _, of := range Available() { // whatever is the default meanwhile
		t.Run("default "+of, func(t *testing.T) {
			use(t, of)
			for range 2 {
				for name, f := range factors {
					f.Set(p.tb, p.b)
					sameBits(t, name, p.mul(f, bias).Data, want[name].Data)
				}
			}
		})
	}
	if c := want["chosen gonum"]; !differs(c, want["chosen native"]) {
		t.Error(
			"gonum and native have the same bits: the test would not see one in place of the other",
		)
	}
}

// differs reports that some number of two matrices differs.
func differs(a, b Matrix) bool {
	for i, v := range a.Data {
		if v != b.Data[i] && !isNaN(v) {
			return true
		}
	}
	return false
}
