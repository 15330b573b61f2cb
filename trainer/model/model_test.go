package model_test

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// tolerance bounds |float32 result - float64 reference| / |reference|, per block. Rounding is
// 6e-8 per operation over chains of about a hundred; what dominates is the argument of the
// fastest sinusoid, |5 lambda| <= 50, whose float32 product is off by up to 3e-6.
const tolerance = 2e-5

func params(l *model.Layout, values []float64) reference.Params {
	views := map[string][]float64{}
	for _, p := range l.Params() {
		views[p.Name] = values[p.Offset : p.Offset+p.Len]
	}
	return func(name string) []float64 { return views[name] }
}

// subject is one network bound to random parameters and inputs, with the reference of its rows.
type subject struct {
	layout    *model.Layout
	p         []float32
	tape      *model.Tape
	in, out   int
	given     bool // there is no gradient by the input
	x         []float32
	level     []float32 // of each row, if the network has such an input
	condition []float32 // of each row, likewise
	dout      []float32 // gradient of the loss, the sum of dout*out
	// row is the reference's output of row i.
	row func(p reference.Params, i int, x []float64) []float64
}

const rows = 7

func mlp(widths ...int) subject {
	s := of(model.NewMLP(nil, widths...), 1)
	s.row = func(p reference.Params, _ int, x []float64) []float64 {
		return reference.MLP(p, len(widths)-1, x)
	}
	return s
}

func encoder(dim, latent int, widths ...int) subject {
	// With parameters four times as large, log-variances of up to 20, where the bound bends them.
	s := of(model.NewEncoder(nil, dim, latent, widths...), 4)
	s.given = true
	s.row = func(p reference.Params, _ int, x []float64) []float64 {
		mean, logvar := reference.Encoder(p, len(widths)+1, x)
		return append(slices.Clone(mean), logvar...)
	}
	return s
}

func score(latent, width, blocks, features int) subject {
	s := of(model.NewResidualScore(nil, latent, width, blocks, features), 1)
	s.levels()
	r := reference.Score{Blocks: blocks, Features: features}
	s.row = func(p reference.Params, i int, x []float64) []float64 {
		return r.Residual(p, x, float64(s.level[i]))
	}
	return s
}

// conditional is s with a network that reads conditions too, which add to the bias of a layer.
func conditional(s subject, net *model.Net, layer string) subject {
	c, row := of(net, 1), s.row
	c.given, c.level = s.given, s.level
	n := net.Conditions()
	c.condition = reference.Normals(rows*n, 4, 1)
	clear(c.condition[:n]) // of the first row: none
	c.row = func(p reference.Params, i int, x []float64) []float64 {
		return row(reference.Conditioned(p, layer, reference.Wide(c.condition[i*n:][:n])), i, x)
	}
	return c
}

// levels gives each row a level.
func (s *subject) levels() {
	s.level = make([]float32, rows)
	for i := range s.level {
		s.level[i] = -10 + 20*float32(i)/(rows-1)
	}
}

// of binds a network to random parameters of the given size.
func of(net *model.Net, size float32) subject {
	s := subject{layout: net.Layout(), in: net.In(), out: net.Out()}
	s.fill()
	for i := range s.p {
		s.p[i] *= size
	}
	s.tape = net.NewTape(nil, s.p, model.Size{Rows: rows}, model.Train)
	return s
}

func (s *subject) fill() {
	s.p = reference.Normals(s.layout.Size(), 1, 0.5)
	s.x = reference.Normals(rows*s.in, 2, 1)
	s.dout = reference.Normals(rows*s.out, 3, 1)
}

func pack(t *model.Tape) {
	for i := range t.PackTasks() {
		t.Pack(i)
	}
}

// reduce computes the gradient by the parameters over a batch of one wave.
func reduce(t *model.Tape, grad []float32, rows int, scale float32) {
	t.Reduce(layer.Wave{Rows: rows, First: true, Last: true, Scale: scale, Grad: grad})
	for i := range t.GradPieces() {
		t.GradPiece(i)
	}
}

// run is forward and backward over the given cuts of the rows; it returns copies of output,
// gradient by the input, and gradient by the parameters (of scale times the loss).
func (s *subject) run(scale float32, cuts ...int) (out, din, grad []float32) {
	out, grad = make([]float32, rows*s.out), make([]float32, len(s.p))
	din = make([]float32, rows*s.in)
	pack(s.tape)
	for i := range cuts[1:] {
		s.pass(cuts[i], cuts[i+1], out, din)
	}
	reduce(s.tape, grad, cuts[len(cuts)-1], scale)
	return out, din, grad
}

// set sets the inputs of rows lo to hi.
func (s *subject) set(p *model.Pass, lo, hi int) {
	copy(p.In(0), s.x[lo*s.in:hi*s.in])
	if s.level != nil {
		copy(p.In(1), s.level[lo:hi])
	}
	p.SetCondition(s.condition, lo, 1)
}

// pass takes rows lo to hi through the network, and writes their outputs and gradients.
func (s *subject) pass(lo, hi int, out, din []float32) {
	p := s.tape.Take(lo, hi)
	defer p.Release()
	s.set(p, lo, hi)
	p.Forward()
	copy(out[lo*s.out:hi*s.out], p.Out())
	copy(p.DOut(), s.dout[lo*s.out:hi*s.out])
	if s.given {
		p.Backward(nil)
		return
	}
	p.Backward(din[lo*s.in : hi*s.in])
}

func (s *subject) rowLoss(p reference.Params, i int, x []float64) (loss float64) {
	for j, y := range s.row(p, i, x) {
		loss += float64(s.dout[i*s.out+j]) * y
	}
	return loss
}

func subjects() map[string]subject {
	return map[string]subject{
		"one layer":          mlp(3, 5),
		"three layers":       mlp(4, 9, 6, 5),
		"several grad tasks": mlp(2, 300, 3),
		"encoder":            encoder(4, 3, 6),
		"linear encoder":     encoder(3, 2),
		"score, one block":   score(3, 6, 1, 2),
		"score, two blocks":  score(2, 7, 2, 8),
		"three layers, condition": conditional(mlp(4, 9, 6, 5),
			model.NewConditionalMLP(nil, 3, 4, 9, 6, 5), "layer0"),
		"one layer, condition": conditional(mlp(3, 5),
			model.NewConditionalMLP(nil, 2, 3, 5), "layer0"),
		"encoder, condition": conditional(encoder(4, 3, 6),
			model.NewConditionalEncoder(nil, 4, 5, 3, 6), "layer0"),
		"score, condition": conditional(score(2, 7, 2, 8),
			model.NewConditionalScore(nil, 2, 3, 7, 2, 8), "emb2"),
		"transformer": transformer(layer.Shape{H: 2, W: 2, C: 2},
			model.Transformer{Width: 6, Blocks: 2, Heads: 2, Features: 4}),
		"transformer, condition": transformer(layer.Shape{H: 3, W: 2, C: 1},
			model.Transformer{Width: 4, Blocks: 1, Heads: 1, Features: 2, Condition: 3}),
	}
}

// Outputs are the reference's; gradients are the central differences of the reference's loss.
func TestAgainstReference(t *testing.T) {
	for name, s := range subjects() {
		t.Run(name, func(t *testing.T) {
			const scale = 0.25
			out, din, grad := s.run(scale, 0, rows)
			values := reference.Wide(s.p)
			p := params(s.layout, values)

			var wantOut, wantIn []float64
			for i := range rows {
				x := reference.Wide(s.x[i*s.in : (i+1)*s.in])
				wantOut = append(wantOut, s.row(p, i, x)...)
				loss := func(x []float64) float64 { return s.rowLoss(p, i, x) }
				wantIn = append(wantIn, reference.Gradient(loss, x)...)
			}
			near(t, "output", out, wantOut)
			if !s.given {
				near(t, "gradient by the input", din, wantIn)
			}

			want := reference.Gradient(func([]float64) (loss float64) {
				for i := range rows {
					loss += scale * s.rowLoss(p, i, reference.Wide(s.x[i*s.in:(i+1)*s.in]))
				}
				return loss
			}, values)
			for _, q := range s.layout.Params() {
				near(t, "gradient by "+q.Name, grad[q.Offset:q.Offset+q.Len],
					want[q.Offset:q.Offset+q.Len])
			}
		})
	}
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if reference.Square(want) == 0 {
		t.Errorf("%s: the reference is zero, so nothing is tested", what)
	}
	if d := reference.Distance(got, want); !(d <= tolerance) {
		t.Errorf("%s: relative distance %.2g, more than %g", what, d, tolerance)
	}
}

// Rows are independent: any cut of the batch gives the results of the whole batch. A library's
// matrix product may sum a row in another order when it has other neighbours, so there this holds
// up to the rounding of sums of some dozen terms, sixteen times 2^-24. Plume's own backend must
// give the same bits.
func TestRowIndependence(t *testing.T) {
	for name, s := range subjects() {
		out, din, grad := s.run(1, 0, rows)
		for _, cuts := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {0, 3, 7}, {0, 6, 7}} {
			out2, din2, grad2 := s.run(1, cuts...)
			for _, c := range []struct {
				what      string
				got, want []float32
			}{
				{"output", out2, out}, {"gradient by the input", din2, din},
				{"gradient by the parameters", grad2, grad},
			} {
				d := reference.Distance(c.got, reference.Wide(c.want))
				if !(d <= 1e-6) || blas.Default().CutFree() && !slices.Equal(c.got, c.want) {
					t.Errorf("%s, rows cut at %v: %s changed by %.2g", name, cuts, c.what, d)
				}
			}
		}
	}
}

// ForwardAt gives the results of Forward for rows of one level, up to the rounding of products of
// fewer rows (1e-6, as in TestRowIndependence).
func TestForwardAt(t *testing.T) {
	const lo, lambda = 2, -1.5
	for _, s := range []subject{
		score(3, 40, 2, 8),
		conditional(score(3, 40, 2, 8), model.NewConditionalScore(nil, 3, 4, 40, 2, 8), "emb2"),
		transformer(layer.Shape{H: 2, W: 3, C: 2},
			model.Transformer{Width: 6, Blocks: 2, Heads: 2, Features: 4}),
		transformer(layer.Shape{H: 2, W: 2, C: 2},
			model.Transformer{Width: 6, Blocks: 1, Heads: 1, Features: 4, Condition: 3}),
	} {
		for _, use := range []model.Use{model.Evaluate, model.Train} {
			tape := s.tape.Net().NewTape(nil, s.p, model.Size{Rows: rows}, use)
			pack(tape)
			pass := tape.Take(lo, rows)
			level := func(v float32) {
				s.set(pass, lo, rows)
				for i := range rows - lo {
					pass.In(1)[i] = v
				}
			}
			level(lambda)
			pass.Forward()
			want := slices.Clone(pass.Out())
			level(7)
			clear(pass.Out())
			pass.ForwardAt(lambda)
			if d := reference.Distance(pass.Out(), reference.Wide(want)); !(d <= 1e-6) {
				t.Errorf("relative distance %.2g from Forward", d)
			}
			pass.Release()
		}
	}
}

// Unused rows of a tape, which may hold NaN, do not affect the gradients of the others.
func TestUnusedRows(t *testing.T) {
	s := mlp(3, 4, 2)
	_, _, want := s.run(1, 0, rows)
	for i := range rows * s.in {
		s.x[i] = float32(math.NaN())
	}
	s.run(1, 0, rows)
	s.fill()
	_, _, got := s.run(1, 0, 4)
	for i, g := range got {
		if g != g {
			t.Fatalf("gradient %d is NaN", i)
		}
	}
	if slices.Equal(got, want) {
		t.Error("the gradient of four rows is that of all")
	}
}

func TestInit(t *testing.T) {
	net := model.NewResidualScore(nil, 8, 64, 2, 16)
	l := net.Layout()
	p := reference.Normals(l.Size(), 9, 1)
	l.Init(p, 5, 1)
	end := 0
	for _, q := range l.Params() {
		if q.Offset != end {
			t.Errorf("%s starts at %d, after %d", q.Name, q.Offset, end)
		}
		end = q.Offset + q.Len
		values := l.View(p, q.Name)
		lo, hi := float64(slices.Min(values)), float64(slices.Max(values))
		if q.Name == "out.weight" || q.Name == "out.bias" {
			if lo != 0 || hi != 0 {
				t.Errorf("%s starts in [%v, %v], expected 0", q.Name, lo, hi)
			}
			continue
		}
		inputs := 64
		switch q.Name {
		case "emb1.weight", "emb1.bias":
			inputs = 16
		case "in.weight", "in.bias":
			inputs = 8
		}
		// n uniform values leave a gap of about 2/n of the bound at each end; ten times that is
		// exceeded once in e^10.
		bound, gap := 1/math.Sqrt(float64(inputs)), 20/float64(len(values))
		if hi > bound*(1+1e-6) || lo < -bound*(1+1e-6) || hi < bound*(1-gap) ||
			lo > -bound*(1-gap) {
			t.Errorf("%s starts in [%v, %v], expected to fill +-%v", q.Name, lo, hi, bound)
		}
	}
	if end != l.Size() {
		t.Errorf("the parameters end at %d of %d", end, l.Size())
	}
	q := make([]float32, len(p))
	l.Init(q, 5, 0)
	if slices.Equal(p, q) {
		t.Error("two networks of one seed start alike")
	}
	if a, b := l.View(p, "block0.w1.weight"), l.View(p, "block0.w2.weight"); slices.Equal(a, b) {
		t.Error("two layers start alike")
	}
}

// Another package's network chooses the range of each parameter's initial values.
func TestInitOfOthers(t *testing.T) {
	const bound, n = 0.25, 1000
	var l model.Layout
	if w, b := l.Add("weight", bound, 10, n/10), l.Add("bias", 0, 7); w != 0 || b != n {
		t.Errorf("offsets %d and %d, expected 0 and %d", w, b, n)
	}
	p := reference.Normals(l.Size(), 9, 1)
	l.Init(p, 5, 1)
	w, b := l.View(p, "weight"), l.View(p, "bias")
	if lo, hi := slices.Min(w), slices.Max(w); lo < -bound || lo > -0.9*bound || hi > bound ||
		hi < 0.9*bound {
		t.Errorf("weights in [%v, %v], expected to fill +-%v", lo, hi, bound)
	}
	if slices.Min(b) != 0 || slices.Max(b) != 0 {
		t.Errorf("biases %v, expected zeros", b)
	}
}
