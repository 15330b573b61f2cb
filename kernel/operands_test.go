package kernel

import (
	"slices"
	"strings"
)

// operands are the arguments of one raw kernel: as many as it takes.
type operands struct {
	f     [6][]float32 // in the order of the kernel's parameters
	bytes []uint8
	ids   []uint64

	rows, d, stride, repeat, phase int

	cols                int        // of an output whose rows are apart: a tile or what is packed
	ldc, lds, rs, cs    int        // strides of such an output and of a tile's start, rows and columns of a tile's a
	a                   [6]float32 // factors
	longest             float64
	root, heat          float32
	first, seed         uint64
	step, stream, other uint32
	count, least, great int // results
}

// raw describes one kernel of the table of paths. Its slices are written as name, use and shape:
// a slice is read (<), written (=) or updated (+); it is a matrix of rows x d (m), or two of them
// side by side (w), has one number per row (r) or column (d), holds the images of
// DataResidual (i) or rows of AddRows (s). Kernels of vectors have one row. Outputs with gaps have rows x cols
// (c) or d x cols numbers (t), ldc apart. A tile starts from rows x cols numbers, lds apart (f), and has
// the factors a, rows x d numbers rs and cs apart, and b, d x cols. Behind the shape,
// ' is for numbers that are positive in most uses, u for bytes and l for ids. alias names the
// pairs that may be one slice where they have one length, the written one first.
type raw struct {
	described
	floats     []param // what args says
	bytes, ids *param
	aliases    [][2]int // what alias says, as places in floats
}

type described struct {
	field string // of path
	args  string
	least int // width
	alias string
	call  func(p *path, o *operands)
}

var raws = parsed([]described{
	{"uniform", "dst=m", 0, "", func(p *path, o *operands) { p.uniform(o.f[0], o.first, o.seed, o.step, o.stream) }},
	{"normal", "dst=m", 0, "", func(p *path, o *operands) { p.normal(o.f[0], o.first, o.seed, o.step, o.stream) }},
	{"noiseRows", "zl=m eps=m z<m alpha<r sigma<r ids<rl", 0, "zl,z", func(p *path, o *operands) {
		p.noiseRows(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.ids, o.d, o.seed, o.step, o.stream)
	}},
	{"normalRows", "dst=m ids<rl", 0, "", func(p *path, o *operands) {
		p.normalRows(o.f[0], o.ids, o.d, o.seed, o.step, o.stream)
	}},
	{"overdamped", "z+m g<m p<m h<r' ids<rl", 0, "", func(p *path, o *operands) {
		o.count = p.overdamped(o.f[0], o.f[1], o.f[2], o.f[3], o.ids, o.d, o.a[0], o.root, o.heat, o.seed, o.step, o.stream)
	}},
	{"underdamped", "z+m u+m g<m p<m h<r' ids<rl", 0, "", func(p *path, o *operands) {
		o.count = p.underdamped(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.ids, o.d, o.a[0], o.root, o.heat, o.a[1],
			o.seed, o.step, o.stream)
	}},
	{"exact", "z+m u+m g<m p<m h<r' ids<rl", 0, "", func(p *path, o *operands) {
		o.count = p.exact(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.ids, o.d, o.a[0], o.longest,
			o.a[1], o.a[2], o.a[3], o.a[4], o.a[5], o.seed, o.step, o.stream, o.other)
	}},

	{"addBias", "x+m b<d", 1, "", func(p *path, o *operands) { p.addBias(o.f[0], o.f[1]) }},
	{"addBiasSkip", "x+m b<d skip<m", 1, "", func(p *path, o *operands) { p.addBiasSkip(o.f[0], o.f[1], o.f[2]) }},
	{"biasSiLU", "y=m x+m b<d", 1, "", func(p *path, o *operands) { p.biasSiLU(o.f[0], o.f[1], o.f[2]) }},
	{"embedSiLU", "y=m s=m h+m b<d e<m", 1, "", func(p *path, o *operands) {
		p.embedSiLU(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4])
	}},
	{"skipSiLU", "y=m s=m h+m b<d skip<m e<m", 1, "", func(p *path, o *operands) {
		p.skipSiLU(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.f[5])
	}},
	{"siLUBackward", "dx=m s<m dy<m", 0, "dx,s dx,dy", func(p *path, o *operands) { p.siLUBackward(o.f[0], o.f[1], o.f[2]) }},
	{"skipSiLUBackward", "below=m embed+m above<m s<m dy<m", 0, "", func(p *path, o *operands) {
		p.skipSiLUBackward(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4])
	}},
	{"addRows", "dst+d x<s", 1, "", func(p *path, o *operands) { p.addRows(o.f[0], o.f[1], o.stride, o.rows) }},
	{"sinusoids", "dst=w lambda<r freq<d", 0, "", func(p *path, o *operands) { p.sinusoids(o.f[0], o.f[1], o.f[2]) }},

	{"scoreResidual", "e=m sq=r zl<m r<m eps<m sigma<r", 0, "e,zl e,r e,eps", func(p *path, o *operands) {
		p.scoreResidual(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.f[5], o.d)
	}},
	{"dataResidual", "e=m sq=r y<m x<i", 0, "e,y", func(p *path, o *operands) {
		p.dataResidual(o.f[0], o.f[1], o.f[2], o.f[3], o.phase, o.repeat, o.d, o.a[0])
	}},
	{"squareNorms", "dst=r x<m", 0, "", func(p *path, o *operands) { p.squareNorms(o.f[0], o.f[1], o.d) }},
	{"scaleRows", "x+m a<r", 0, "", func(p *path, o *operands) { p.scaleRows(o.f[0], o.f[1], o.d) }},
	{"combineRows", "dst=m x<m a<r y<m b<r z<m", 0, "dst,x dst,y dst,z", func(p *path, o *operands) {
		p.combineRows(o.f[0], o.f[1], o.f[2], o.f[3], o.f[4], o.f[5], o.a[0], o.d)
	}},

	{"add", "dst+m x<m", 0, "", func(p *path, o *operands) { p.add(o.f[0], o.f[1]) }},
	{"axpy", "y+m x<m", 0, "", func(p *path, o *operands) { p.axpy(o.f[0], o.a[0], o.f[1]) }},
	{"scale", "x+m", 0, "", func(p *path, o *operands) { p.scale(o.f[0], o.a[0]) }},
	{"extremes", "x<m", 1, "", func(p *path, o *operands) {
		least, great := p.extremes(o.f[0])
		o.least, o.great = int(least), int(great)
	}},
	{"combine2", "z+m x<m", 0, "", func(p *path, o *operands) { p.combine2(o.f[0], o.a[0], o.f[1], o.a[1]) }},
	{"combine3", "z+m x<m y<m", 0, "", func(p *path, o *operands) {
		p.combine3(o.f[0], o.a[0], o.f[1], o.a[1], o.f[2], o.a[2])
	}},
	{"sgd", "p+m g<m", 0, "", func(p *path, o *operands) { p.sgd(o.f[0], o.f[1], o.a[0]) }},
	{"rmsprop", "p+m v+m' g<m", 0, "", func(p *path, o *operands) {
		p.rmsprop(o.f[0], o.f[1], o.f[2], o.a[0], o.a[1], o.a[2])
	}},
	{"adam", "p+m m+m v+m' g<m", 0, "", func(p *path, o *operands) {
		p.adam(o.f[0], o.f[1], o.f[2], o.f[3], o.a[0], o.a[1], o.a[2], o.a[3], o.a[4])
	}},
	{"ema", "avg+m p<m", 0, "", func(p *path, o *operands) { p.ema(o.f[0], o.f[1], o.a[0]) }},
	{"u8ToF32", "dst=m src<mu", 0, "", func(p *path, o *operands) { p.u8ToF32(o.f[0], o.bytes) }},
	{"f32ToU8", "dst=mu src<m", 0, "", func(p *path, o *operands) { p.f32ToU8(o.bytes, o.f[0]) }},

	{"mulTile", "c=c start<f a<a b<b", 0, "c,start", func(p *path, o *operands) {
		p.mulTile(o.f[0], o.ldc, o.f[1], o.lds, o.f[2], o.rs, o.cs, o.f[3], o.rows, o.d)
	}},
	{"packRows", "dst=c src<s", 0, "", func(p *path, o *operands) {
		p.packRows(o.f[0], o.ldc, o.f[1], o.stride, o.d, o.rows, o.a[0])
	}},
	{"turn", "dst=t src<s", 0, "", func(p *path, o *operands) { p.turn(o.f[0], o.ldc, o.f[1], o.stride, o.d) }},
})

// param is a slice parameter of a kernel.
type param struct {
	name       string
	use, shape byte
	positive   bool
}

func parsed(kernels []described) (raws []raw) {
	for _, d := range kernels {
		k := raw{described: d}
		for _, s := range strings.Fields(k.args) {
			at := strings.IndexAny(s, "<=+")
			p := param{name: s[:at], use: s[at], shape: s[at+1]}
			switch s[at+2:] {
			case "u":
				k.bytes = &p
				continue
			case "l":
				k.ids = &p
				continue
			case "'":
				p.positive = true
			}
			k.floats = append(k.floats, p)
		}
		for _, s := range strings.Fields(k.alias) {
			out, in, _ := strings.Cut(s, ",")
			k.aliases = append(k.aliases, [2]int{k.place(out), k.place(in)})
		}
		raws = append(raws, k)
	}
	return raws
}

// place is the place of a parameter in floats.
func (k *raw) place(name string) int {
	return slices.IndexFunc(k.floats, func(p param) bool { return p.name == name })
}

func kernelNamed(field string) *raw {
	return &raws[slices.IndexFunc(raws, func(k raw) bool { return k.field == field })]
}
