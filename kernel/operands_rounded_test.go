package kernel

// roundedRaws are the kernels of products of rounded factors.
var roundedRaws = []raw{
	{
		kernel: "mulGroups",
		args: params{
			out("c", tileOut), in("start", tileStart), in("a", tileLeft), in("b", tilePanel),
		},
		mayBe: []alias{{"c", "start"}},
		most:  func(p *path) int { return p.groupRows },
		loop:  documentedGroups,
		part:  GroupDepth,
		call: func(p *path, o *operands) {
			p.mulGroups(o.f[0], o.ldc, o.f[1], o.lds, o.f[2], o.rs, o.cs, o.jump, o.f[3], o.rows,
				o.d/o.parts, o.parts)
		},
	},
	{
		kernel: "roundRows",
		args:   params{out("dst", tileOut), in("src", rowsApart)},
		mayBe:  []alias{{"dst", "src"}},
		call: func(p *path, o *operands) {
			p.roundRows(o.f[0], o.ldc, o.f[1], o.stride, o.d, o.rows, o.a[0])
		},
	},
	{
		kernel: "roundRest",
		args:   params{out("dst", tileOut), in("src", rowsApart)},
		mayBe:  []alias{{"dst", "src"}},
		call: func(p *path, o *operands) {
			p.roundRest(o.f[0], o.ldc, o.f[1], o.stride, o.d, o.rows, o.a[0])
		},
	},
	{
		kernel: "roundPairs",
		args:   params{out("dst", tileOut), in("src", rowsApart)},
		unit:   2,
		mayBe:  []alias{{"dst", "src"}},
		call: func(p *path, o *operands) {
			p.roundPairs(o.f[0], o.ldc, o.f[1], o.stride, o.d, o.rows, o.a[0])
		},
	},
}

// documentedGroups is the loop in MulGroups's comment, for tiles of any shape.
func documentedGroups(o *operands) {
	c, start, a, b := o.f[0], o.f[1], o.f[2], o.f[3]
	for i := range o.rows {
		row := c[i*o.ldc:][:o.cols]
		copy(row, start[i*o.lds:])
		for first := 0; first < o.d; first += GroupDepth {
			for j := range row {
				var even, odd float32
				for k := first; k < min(first+GroupDepth, o.d); k++ {
					x, y := a[i*o.rs+k*o.cs+k/(o.d/o.parts)*o.jump], b[k*o.cols+j]
					if k%2 == 0 {
						even = fma32(x, y, even)
					} else {
						odd = fma32(x, y, odd)
					}
				}
				row[j] += even + odd
			}
		}
	}
}
