package kernel

// layerRaws are the kernels of networks' layers that have rows of channels.
var layerRaws = []raw{
	{
		kernel: "siLU",
		args:   params{out("y", matrix), inOut("x", matrix)},
		call: func(p *path, o *operands) {
			p.siLU(o.f[0], o.f[1])
		},
	},
	{
		kernel: "sumSiLU",
		args:   params{out("y", matrix), out("s", matrix), in("h", matrix), in("e", matrix)},
		mayBe:  []alias{{"y", "h"}, {"y", "e"}, {"s", "h"}, {"s", "e"}},
		call: func(p *path, o *operands) {
			p.sumSiLU(o.f[0], o.f[1], o.f[2], o.f[3])
		},
	},
	{
		kernel: "affineSiLU",
		args: params{
			out("y", matrix), out("s", matrix), in("x", matrix), in("a", perColumn),
			in("b", perColumn),
		},
		least: 1,
		mayBe: []alias{{"y", "x"}, {"s", "x"}},
		call: func(p *path, o *operands) {
			p.affineSiLU(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4])
		},
	},
	{
		kernel: "siLUBackwardAdd",
		args:   params{inOut("dx", matrix), in("s", matrix), in("dy", matrix)},
		call: func(p *path, o *operands) {
			p.siLUBackwardAdd(o.f[0], o.f[1], o.f[2])
		},
	},

	{
		kernel: "softmax",
		args:   params{out("y", matrix), in("x", matrix)},
		least:  1,
		mayBe:  []alias{{"y", "x"}},
		call: func(p *path, o *operands) {
			p.softmax(o.f[0], o.f[1], o.a[0], o.rows, o.d)
		},
	},
	{
		kernel: "softmaxBackward",
		args:   params{out("dx", matrix), in("y", matrix), in("dy", matrix)},
		least:  1,
		mayBe:  []alias{{"dx", "y"}, {"dx", "dy"}},
		call: func(p *path, o *operands) {
			p.softmaxBackward(o.f[0], o.f[1], o.f[2], o.a[0], o.rows, o.d)
		},
	},

	{
		kernel: "affine",
		args: params{
			out("y", matrix), in("x", matrix), in("a", perColumn), in("b", perColumn),
		},
		least: 1,
		mayBe: []alias{{"y", "x"}},
		call: func(p *path, o *operands) {
			p.affine(o.f[0], o.f[1], o.f[2], o.f[3])
		},
	},
	{
		kernel: "affineGrad",
		args: params{
			out("dx", matrix), in("dy", matrix), in("x", matrix), in("a", perColumn),
			in("b", perColumn), in("c", perColumn),
		},
		least: 1,
		mayBe: []alias{{"dx", "dy"}, {"dx", "x"}},
		call: func(p *path, o *operands) {
			p.affineGrad(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.f[5])
		},
	},
	{
		kernel: "affineGradAdd",
		args: params{
			inOut("dx", matrix), in("dy", matrix), in("x", matrix), in("a", perColumn),
			in("b", perColumn), in("c", perColumn),
		},
		least: 1,
		call: func(p *path, o *operands) {
			p.affineGradAdd(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.f[5])
		},
	},

	{
		kernel: "addRows",
		args:   params{inOut("dst", perColumn), in("x", rowsApart)},
		least:  1,
		call: func(p *path, o *operands) {
			p.addRows(o.f[0], o.f[1], o.stride, o.rows)
		},
	},
	{
		kernel: "colDot",
		args:   params{inOut("dst", perColumn), in("x", matrix), in("y", matrix)},
		least:  1,
		call: func(p *path, o *operands) {
			p.colDot(o.f[0], o.f[1], o.f[2], o.rows)
		},
	},
	{
		kernel: "colSquares",
		args:   params{inOut("dst", perColumn), in("x", matrix), in("m", perColumn)},
		least:  1,
		call: func(p *path, o *operands) {
			p.colSquares(o.f[0], o.f[1], o.f[2], o.rows)
		},
	},
}
