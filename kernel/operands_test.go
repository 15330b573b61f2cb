package kernel

import "slices"

// operands are the arguments of one raw kernel, which uses some of the fields.
type operands struct {
	f     [6][]float32 // in the order of the kernel's parameters
	bytes []uint8
	ids   []uint64

	rows, d, stride, repeat, phase int

	cols                int        // of an output whose rows are apart: a tile or what is packed
	ldc, lds            int        // strides of such an output, and of a tile's start
	rs, cs              int        // strides of a tile's left factor
	parts, jump         int        // of its depth
	high, next          int        // of several tiles: the rows of one, and what is between them
	toApart, toRow      int        // strides of planes that are written
	apart, row          int        // and of those that are read, which may overlap
	a                   [6]float32 // scalar factors
	root, heat          float32    // of moves
	longest             float64
	first, seed         uint64
	step                uint32
	stream, other       uint32
	count, least, great int // results
}

// raw describes one kernel of the table of paths: its slices in the order of its parameters, which
// of them may be one slice, and how it is called.
type raw struct {
	kernel string // field of path
	args   params
	least  int     // least width of a row
	unit   int     // what its width is a multiple of, 0 for any
	mayBe  []alias // what is written may be what is read, where both have one length
	call   func(p *path, o *operands)

	// Of kernels on tiles, whose shape differs between paths: the most rows, the documented loop,
	// and what the depth of each of several parts is a multiple of, 0 for any.
	most func(p *path) int
	loop func(o *operands)
	part int

	floats     []param  // of args, those of float32
	bytes, ids *param   // of args, those of other types, or nil
	aliases    [][2]int // mayBe, as places in floats
}

// alias is a pair of parameters: one that is written and one that is read.
type alias struct{ out, in string }

// param is a slice parameter of a kernel.
type param struct {
	name   string
	use    use
	layout layout
	signed bool // false: its numbers are positive in most uses, and so in most tests
	of     element
}

type params []param

// use is what a kernel does with the numbers of a slice.
type use int

const (
	reads   use = iota
	writes      // what it held before does not count
	updates     // reads and writes
)

// element is the type of a slice's elements.
type element int

const (
	float element = iota
	pixel
	rowNumber
)

// layout is how many numbers a slice holds, and where. Those of a kernel of vectors are matrices of
// one row. To add one, say in operands.length how long such a slice is and, if its rows are
// apart, in operands.grid where they are.
type layout int

const (
	matrix      layout = iota // rows x d
	twoMatrices               // rows x 2d
	perRow                    // one number for each row
	perColumn                 // one for each of d columns
	images                    // of DataResidual: rows of d, each shared by some rows
	rowsApart                 // rows x d, the rows stride numbers apart
	tileOut                   // rows x cols, the rows ldc apart
	transposed                // d x cols, the rows ldc apart
	tileStart                 // rows x cols, the rows lds apart; or one row for all
	tileLeft                  // rows x d, numbers rs apart in a column and cs in a row
	tilesLeft                 // the same of several tiles, which begin high*next numbers apart
	tilePanel                 // d x cols
	fourRead                  // planes of rows x d, apart and row numbers from each other
	twoRead                   // two of them
	fourWritten               // planes of rows x d, toApart and toRow numbers from each other
	twoWritten                // two of them
)

func in(name string, l layout) param    { return param{name, reads, l, true, float} }
func out(name string, l layout) param   { return param{name, writes, l, true, float} }
func inOut(name string, l layout) param { return param{name, updates, l, true, float} }

// rowIDs are the numbers of rows in the noise stream.
var rowIDs = param{"ids", reads, perRow, true, rowNumber}

func (p param) positive() param { p.signed = false; return p }
func (p param) bytes() param    { p.of = pixel; return p }

var raws = complete(slices.Concat([]raw{
	{
		kernel: "uniform",
		args:   params{out("dst", matrix)},
		call: func(p *path, o *operands) {
			p.uniform(o.f[0], o.first, o.seed, o.step, o.stream)
		},
	},
	{
		kernel: "normal",
		args:   params{out("dst", matrix)},
		call: func(p *path, o *operands) {
			p.normal(o.f[0], o.first, o.seed, o.step, o.stream)
		},
	},
	{
		kernel: "noiseRows",
		args: params{
			out("zl", matrix), out("eps", matrix), in("z", matrix), in("alpha", perRow),
			in("sigma", perRow), rowIDs,
		},
		mayBe: []alias{{"zl", "z"}},
		call: func(p *path, o *operands) {
			p.noiseRows(
				o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.ids, o.d, o.seed, o.step, o.stream,
			)
		},
	},
	{
		kernel: "normalRows",
		args:   params{out("dst", matrix), rowIDs},
		call: func(p *path, o *operands) {
			p.normalRows(o.f[0], o.ids, o.d, o.seed, o.step, o.stream)
		},
	},
	{
		kernel: "overdamped",
		args: params{
			inOut("z", matrix), in("g", matrix), in("p", matrix), in("h", perRow).positive(),
			rowIDs,
		},
		call: func(p *path, o *operands) {
			o.count = p.overdamped(o.f[0], o.f[1], o.f[2], o.f[3], o.ids, o.d,
				o.a[0], o.root, o.heat, o.seed, o.step, o.stream)
		},
	},
	{
		kernel: "underdamped",
		args: params{
			inOut("z", matrix), inOut("u", matrix), in("g", matrix), in("p", matrix),
			in("h", perRow).positive(), rowIDs,
		},
		call: func(p *path, o *operands) {
			o.count = p.underdamped(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.ids, o.d,
				o.a[0], o.root, o.heat, o.a[1], o.seed, o.step, o.stream)
		},
	},
	{
		kernel: "exact",
		args: params{
			inOut("z", matrix), inOut("u", matrix), in("g", matrix), in("p", matrix),
			in("h", perRow).positive(), rowIDs,
		},
		call: func(p *path, o *operands) {
			o.count = p.exact(
				o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.ids, o.d, o.a[0], o.longest, o.a[1],
				o.a[2], o.a[3], o.a[4], o.a[5], o.seed, o.step, o.stream, o.other,
			)
		},
	},

	{
		kernel: "siLUBackward",
		args:   params{out("dx", matrix), in("s", matrix), in("dy", matrix)},
		mayBe:  []alias{{"dx", "s"}, {"dx", "dy"}},
		call: func(p *path, o *operands) {
			p.siLUBackward(o.f[0], o.f[1], o.f[2])
		},
	},
	{
		kernel: "sinusoids",
		args:   params{out("dst", twoMatrices), in("lambda", perRow), in("freq", perColumn)},
		call: func(p *path, o *operands) {
			p.sinusoids(o.f[0], o.f[1], o.f[2])
		},
	},

	{
		kernel: "scoreResidual",
		args: params{
			out("e", matrix), out("sq", perRow), in("zl", matrix), in("r", matrix),
			in("eps", matrix), in("sigma", perRow),
		},
		mayBe: []alias{{"e", "zl"}, {"e", "r"}, {"e", "eps"}},
		call: func(p *path, o *operands) {
			p.scoreResidual(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.f[5], o.d)
		},
	},
	{
		kernel: "dataResidual",
		args:   params{out("e", matrix), out("sq", perRow), in("y", matrix), in("x", images)},
		mayBe:  []alias{{"e", "y"}},
		call: func(p *path, o *operands) {
			p.dataResidual(o.f[0], o.f[1], o.f[2], o.f[3], o.phase, o.repeat, o.d, o.a[0])
		},
	},
	{
		kernel: "squareNorms",
		args:   params{out("dst", perRow), in("x", rowsApart)},
		call: func(p *path, o *operands) {
			p.squareNorms(o.f[0], o.f[1], o.stride, o.d)
		},
	},
	{
		kernel: "dotRows",
		args:   params{out("dst", perRow), in("x", matrix), in("y", matrix)},
		call: func(p *path, o *operands) {
			p.dotRows(o.f[0], o.f[1], o.f[2], o.d)
		},
	},
	{
		kernel: "scaleRows",
		args:   params{inOut("x", matrix), in("a", perRow)},
		call: func(p *path, o *operands) {
			p.scaleRows(o.f[0], o.f[1], o.d)
		},
	},
	{
		kernel: "combineRows",
		args: params{
			out("dst", matrix), in("x", matrix), in("a", perRow), in("y", matrix), in("b", perRow),
			in("z", matrix),
		},
		mayBe: []alias{{"dst", "x"}, {"dst", "y"}, {"dst", "z"}},
		call: func(p *path, o *operands) {
			p.combineRows(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.f[5], o.a[0], o.d)
		},
	},

	{
		kernel: "add",
		args:   params{inOut("dst", matrix), in("x", matrix)},
		call: func(p *path, o *operands) {
			p.add(o.f[0], o.f[1])
		},
	},
	{
		kernel: "axpy",
		args:   params{inOut("y", matrix), in("x", matrix)},
		call: func(p *path, o *operands) {
			p.axpy(o.f[0], o.a[0], o.f[1])
		},
	},
	{
		kernel: "scale",
		args:   params{inOut("x", matrix)},
		call: func(p *path, o *operands) {
			p.scale(o.f[0], o.a[0])
		},
	},
	{
		kernel: "clip",
		args:   params{inOut("x", matrix)},
		call: func(p *path, o *operands) {
			p.clip(o.f[0])
		},
	},
	{
		kernel: "extremes",
		args:   params{in("x", matrix)},
		least:  1,
		call: func(p *path, o *operands) {
			least, great := p.extremes(o.f[0])
			o.least, o.great = int(least), int(great)
		},
	},
	{
		kernel: "combine2",
		args:   params{inOut("z", matrix), in("x", matrix)},
		call: func(p *path, o *operands) {
			p.combine2(o.f[0], o.a[0], o.f[1], o.a[1])
		},
	},
	{
		kernel: "combine3",
		args:   params{inOut("z", matrix), in("x", matrix), in("y", matrix)},
		call: func(p *path, o *operands) {
			p.combine3(o.f[0], o.a[0], o.f[1], o.a[1], o.f[2], o.a[2])
		},
	},
	{
		kernel: "sgd",
		args:   params{inOut("p", matrix), in("g", matrix)},
		call: func(p *path, o *operands) {
			p.sgd(o.f[0], o.f[1], o.a[0])
		},
	},
	{
		kernel: "rmsprop",
		args:   params{inOut("p", matrix), inOut("v", matrix).positive(), in("g", matrix)},
		call: func(p *path, o *operands) {
			p.rmsprop(o.f[0], o.f[1], o.f[2], o.a[0], o.a[1], o.a[2])
		},
	},
	{
		kernel: "adam",
		args: params{
			inOut("p", matrix), inOut("m", matrix), inOut("v", matrix).positive(), in("g", matrix),
		},
		call: func(p *path, o *operands) {
			p.adam(o.f[0], o.f[1], o.f[2], o.f[3], o.a[0], o.a[1], o.a[2], o.a[3], o.a[4])
		},
	},
	{
		kernel: "adamAverage",
		args: params{
			inOut("p", rowsApart), inOut("m", rowsApart), inOut("v", rowsApart).positive(),
			inOut("avg", rowsApart), in("g", rowsApart),
		},
		call: func(p *path, o *operands) {
			p.adamAverage(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.stride, o.d, o.rows,
				o.a[0], o.a[1], o.a[2], o.a[3], o.a[4], o.a[5], o.root)
		},
	},
	{
		kernel: "ema",
		args:   params{inOut("avg", matrix), in("p", matrix)},
		call: func(p *path, o *operands) {
			p.ema(o.f[0], o.f[1], o.a[0])
		},
	},
	{
		kernel: "u8ToF32",
		args:   params{out("dst", matrix), in("src", matrix).bytes()},
		call: func(p *path, o *operands) {
			p.u8ToF32(o.f[0], o.bytes)
		},
	},
	{
		kernel: "f32ToU8",
		args:   params{out("dst", matrix).bytes(), in("src", matrix)},
		call: func(p *path, o *operands) {
			p.f32ToU8(o.bytes, o.f[0])
		},
	},

	{
		kernel: "mulTile",
		args: params{
			out("c", tileOut), in("start", tileStart), in("a", tileLeft), in("b", tilePanel),
		},
		mayBe: []alias{{"c", "start"}},
		most:  func(p *path) int { return p.tileRows },
		loop:  documentedTile,
		call: func(p *path, o *operands) {
			p.mulTile(o.f[0], o.ldc, o.f[1], o.lds, o.f[2], o.rs, o.cs, o.jump, o.f[3], o.rows,
				o.d/o.parts, o.parts)
		},
	},
	{
		kernel: "mulRows",
		args: params{
			out("c", tileOut), in("start", tileStart), in("a", tilesLeft), in("b", tilePanel),
		},
		mayBe: []alias{{"c", "start"}},
		loop:  documentedRows,
		call: func(p *path, o *operands) {
			p.mulRows(o.f[0], o.ldc, o.f[1], o.lds, o.f[2], o.rs, o.cs, o.next, o.f[3],
				o.rows/o.high, o.d)
		},
	},
	{
		kernel: "packRows",
		args:   params{out("dst", tileOut), in("src", rowsApart)},
		call: func(p *path, o *operands) {
			p.packRows(o.f[0], o.ldc, o.f[1], o.stride, o.d, o.rows, o.a[0])
		},
	},
	{
		kernel: "transpose",
		args:   params{out("dst", transposed), in("src", rowsApart)},
		call: func(p *path, o *operands) {
			p.transpose(o.f[0], o.ldc, o.f[1], o.stride, o.d)
		},
	},
}, layerRaws, roundedRaws, winogradRaws))

// complete sorts the parameters by type.
func complete(raws []raw) []raw {
	for i := range raws {
		k := &raws[i]
		for j, p := range k.args {
			switch p.of {
			case pixel:
				k.bytes = &k.args[j]
			case rowNumber:
				k.ids = &k.args[j]
			default:
				k.floats = append(k.floats, p)
			}
		}
		for _, a := range k.mayBe {
			k.aliases = append(k.aliases, [2]int{k.place(a.out), k.place(a.in)})
		}
	}
	return raws
}

// place is the place of a parameter in floats.
func (k *raw) place(name string) int {
	return slices.IndexFunc(k.floats, func(p param) bool { return p.name == name })
}

func kernelNamed(field string) *raw {
	return &raws[slices.IndexFunc(raws, func(k raw) bool { return k.kernel == field })]
}
