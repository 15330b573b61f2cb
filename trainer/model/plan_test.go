package model

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
)

// memory of a pass as a plan lays it out, in which every number says whose it is.
type owned struct {
	*testing.T
	name    string
	plan    *plan
	scratch []string
	kept    map[string]string
}

// write makes the numbers of an array those of owner.
func (m *owned) write(at place, array, owner string) {
	switch at.kind {
	case kept:
		m.kept[array] = owner
	case scratch:
		for i := range at.width {
			m.scratch[at.span.offset+i] = owner
		}
	}
}

// read checks that they are.
func (m *owned) read(at place, array, owner, when string) {
	switch at.kind {
	case nowhere:
		m.Errorf("%s, %s: %s is nowhere", m.name, when, array)
	case kept:
		if m.kept[array] != owner {
			m.Errorf("%s, %s: %s holds %q", m.name, when, array, m.kept[array])
		}
	case scratch:
		for i := range at.width {
			if got := m.scratch[at.span.offset+i]; got != owner {
				m.Errorf("%s, %s: %s holds %q", m.name, when, array, got)
				return
			}
		}
	}
}

// apart checks that a call's arrays do not overlap, but for the one pair that may be the same.
func (m *owned) apart(when string, may [2]int, arrays ...place) {
	for i, a := range arrays {
		for j, b := range arrays[:i] {
			if a.kind != scratch || b.kind != scratch || a.width == 0 || b.width == 0 {
				continue
			}
			first, second := a.span.offset, b.span.offset
			overlap := first < second+b.width && second < first+a.width
			same := first == second && a.width == b.width
			if overlap && !(same && may == [2]int{j, i}) {
				m.Errorf("%s, %s: arrays %d and %d overlap", m.name, when, j, i)
			}
		}
	}
}

func value(i Node) string    { return fmt.Sprint("value of ", i) }
func gradient(i Node) string { return fmt.Sprint("gradient by ", i) }

// TestPlanKeepsWhatIsRead: when a layer or the caller reads an array, the numbers there are those
// that were written for it last, in random graphs. The order of reads and writes is that of a pass,
// told here once more without the plan's times.
func TestPlanKeepsWhatIsRead(t *testing.T) {
	for seed := range uint64(graphs) {
		n := graph(seed)
		for _, use := range []Use{Evaluate, Differentiate, Train} {
			plan := n.plan(use)
			m := &owned{t, fmt.Sprintf("graph %d, use %v", seed, use), plan,
				make([]string, plan.row), map[string]string{}}
			m.forward(n)
			if use > Evaluate {
				m.back(n)
			}
			if use == Train {
				m.gradients(n)
			}
		}
	}
}

func (m *owned) forward(n *Net) {
	for _, i := range n.inputs {
		m.write(m.plan.nodes[i].value, value(i), value(i))
	}
	for i := range n.nodes {
		if n.nodes[i].layer != nil {
			m.forwardNode(n, Node(i))
		}
	}
	m.read(m.plan.nodes[n.out].value, value(n.out), value(n.out), "the caller")
}

func (m *owned) forwardNode(n *Net, i Node) {
	at, when := m.plan.nodes[i], fmt.Sprint("forward ", i)
	arrays := []place{at.value, at.own}
	may := [2]int{-1, -1}
	for k, in := range n.nodes[i].in {
		x := m.plan.nodes[in].value
		m.read(x, value(in), value(in), when)
		if k == 0 && at.spare.kind == scratch {
			x = at.spare
			m.apart(when, may, x, m.plan.nodes[in].value)
			m.write(x, "", fmt.Sprint("copy for ", i))
		}
		if k == 0 && at.memory.InPlace {
			may = [2]int{0, len(arrays)}
		}
		if !slices.Contains(n.nodes[i].in[:k], in) {
			arrays = append(arrays, x)
		}
	}
	m.apart(when, may, arrays...)
	in := n.nodes[i].in[0]
	if at.memory.Spoils {
		m.write(m.seen(n, i), value(in), fmt.Sprint("spoilt by ", i))
	}
	m.write(at.own, "", fmt.Sprint("kept by ", i))
	m.write(at.value, value(i), value(i))
}

// seen is what node i sees as its first input.
func (m *owned) seen(n *Net, i Node) place {
	if at := m.plan.nodes[i]; at.spare.kind == scratch {
		return at.spare
	}
	return m.plan.nodes[n.nodes[i].in[0]].value
}

func (m *owned) back(n *Net) {
	set := map[Node]bool{n.out: true}
	m.write(m.plan.nodes[n.out].grad, gradient(n.out), gradient(n.out))
	for i := Node(len(n.nodes) - 1); i >= 0; i-- {
		if n.nodes[i].layer != nil && m.goesBack(n, i) {
			m.backNode(n, i, set)
		}
	}
}

// goesBack reports whether a gradient by node i is wanted: by the first input through it, or in
// training by the parameters of a layer before it.
func (m *owned) goesBack(n *Net, i Node) bool {
	if i == n.inputs[0] {
		return true
	}
	wanted := m.plan.use == Train && len(n.nodes[i].params) > 0
	for _, in := range n.nodes[i].in {
		wanted = wanted || m.goesBack(n, in)
	}
	if (m.plan.nodes[i].grad.kind != nowhere) != wanted {
		m.Errorf("%s: a gradient by %d, which is wanted: %v", m.name, i, wanted)
	}
	return wanted
}

func (m *owned) backNode(n *Net, i Node, set map[Node]bool) {
	at, when := m.plan.nodes[i], fmt.Sprint("back ", i)
	arrays, may := []place{at.grad, at.own}, [2]int{-1, -1}
	m.read(at.grad, gradient(i), gradient(i), when)
	if at.own.width > 0 {
		m.read(at.own, "", fmt.Sprint("kept by ", i), when)
	}
	if at.memory.ReadsX {
		m.readInputs(n, i, when)
	}
	written := map[Node]bool{}
	for k, in := range n.nodes[i].in {
		to := m.plan.nodes[in]
		if !m.goesBack(n, in) {
			continue
		}
		if at.add[k] != set[in] {
			m.Errorf("%s, %s: adds to input %d: %v", m.name, when, k, at.add[k])
		}
		if n.nodes[in].layer != nil {
			if set[in] {
				m.read(to.grad, gradient(in), gradient(in), when)
			}
			if !written[in] {
				arrays = append(arrays, to.grad)
			}
			once := k == 0 && !slices.Contains(n.nodes[i].in[1:], in)
			if once && at.memory.InPlaceBack && !at.add[0] {
				may = [2]int{0, len(arrays) - 1}
			}
			m.write(to.grad, gradient(in), gradient(in))
		}
		set[in], written[in] = true, true
	}
	m.apart(when, may, arrays...)
}

// readInputs checks the inputs that Backward of node i reads.
func (m *owned) readInputs(n *Net, i Node, when string) {
	for k, in := range n.nodes[i].in {
		at, owner := m.plan.nodes[in].value, value(in)
		if k == 0 {
			at = m.seen(n, i)
			switch {
			case m.plan.nodes[i].memory.Spoils:
				owner = fmt.Sprint("spoilt by ", i)
			case m.plan.nodes[i].spare.kind == scratch:
				owner = fmt.Sprint("copy for ", i)
			}
		}
		m.read(at, value(in), owner, when)
	}
}

// gradients checks what the gradients by parameters read.
func (m *owned) gradients(n *Net) {
	for i, node := range n.nodes {
		at := m.plan.nodes[i]
		if node.layer == nil {
			continue
		}
		if at.memory.KeepsX {
			in := node.in[0]
			if m.plan.nodes[in].value.kind != kept {
				m.Errorf("%s: the input of %d is not kept", m.name, i)
			}
			m.read(m.plan.nodes[in].value, value(in), value(in), "at the end")
		}
		if at.memory.KeepsDY {
			if at.grad.kind != kept {
				m.Errorf("%s: the gradient by %d is not kept", m.name, i)
			}
			m.read(at.grad, gradient(Node(i)), gradient(Node(i)), "at the end")
		}
	}
}

// TestPlannedPass: random graphs give the results of their layers with memory of their own, for one
// row and for several in tiles. Gradients of several readers are sums in another order: 2e-5 is
// some hundred roundings of 6e-8, of values and gradients that products make up to ten times as
// large as their sums.
func TestPlannedPass(t *testing.T) {
	for seed := range uint64(graphs) {
		n := graph(seed)
		p := paramsOf(n)
		for _, size := range []Size{{Rows: 1}, {Rows: 5, Tile: 2}} {
			got, want := planned(n, p, size), evaluated(n, p, size.Rows)
			for what, x := range map[string][2][]float32{
				"output":             {got.out, want.out},
				"gradient by input":  {got.din, want.din},
				"gradient by params": {got.grad, want.grad},
			} {
				if d := reference.Distance(x[0], reference.Wide(x[1])); !(d <= 2e-5) {
					t.Errorf("graph %d, %+v: %s is %.2g away", seed, size, what, d)
				}
			}
		}
	}
}

// TestSameBitsInWaves: waves, tiles and ForwardAt do not show in the bits of native products.
func TestSameBitsInWaves(t *testing.T) {
	if !NewMLP(nil, 1, 1).CutFree() {
		t.Skip("cuts show in the bits of a library's products, by design")
	}
	const rows = 7
	for seed := range uint64(graphs) {
		n := graph(seed)
		p := paramsOf(n)
		want := planned(n, p, Size{Rows: rows})
		for _, size := range []Size{
			{Rows: rows, Tile: 3}, {Rows: rows, Wave: 4}, {Rows: rows, Wave: 3, Tile: 2},
		} {
			got := planned(n, p, size)
			if !slices.Equal(got.out, want.out) || !slices.Equal(got.din, want.din) ||
				!slices.Equal(got.grad, want.grad) {
				t.Errorf("graph %d: %+v has other bits", seed, size)
			}
		}
		if n.Input(Lambda) > 0 {
			sameAtOneLevel(t, n, p, rows)
		}
	}
}

// sameAtOneLevel: ForwardAt gives the bits of Forward.
func sameAtOneLevel(t *testing.T, n *Net, p []float32, rows int) {
	t.Helper()
	tape := n.NewTape(nil, p, Size{Rows: rows}, Evaluate)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	inputs, _ := inputsOf(n, rows)
	pass := tape.Take(0, rows)
	defer pass.Release()
	var out [2][]float32
	for i := range out {
		blank(pass.scratch)
		for k, x := range inputs {
			copy(pass.In(k), x)
		}
		if level := pass.In(n.Input(Lambda)); i == 0 {
			for k := range level {
				level[k] = 0.75
			}
			pass.Forward()
		} else {
			pass.ForwardAt(0.75)
		}
		out[i] = slices.Clone(pass.Out())
	}
	if !slices.Equal(out[0], out[1]) {
		t.Error("ForwardAt has other bits than Forward")
	}
}

// TestSpoiltValueIsRead: a layer that leaves its derivative where its input lay does so in a copy
// if the input has another reader, before or after it.
func TestSpoiltValueIsRead(t *testing.T) {
	for _, silu := range []bool{true, false} {
		n := Must(Build(nil, func(b *Builder) Node {
			x := b.Add("double", double, b.Input("z", layer.Vector(1)))
			if silu {
				y := b.SiLU(x)
				return b.Add("product", product, y, x)
			}
			y := b.Add("twice", double, x)
			return b.Add("product", product, b.SiLU(x), y)
		}))
		r := planned(n, nil, Size{Rows: 3})
		inputs, _ := inputsOf(n, 3)
		for i, z := range reference.Wide(inputs[0]) {
			want := reference.SiLU(2*z) * 2 * z
			if !silu {
				want *= 2
			}
			// Four roundings of 6e-8.
			if d := math.Abs(float64(r.out[i]) - want); d > 3e-7*math.Abs(want) {
				t.Errorf("SiLU first %v: %v of %v, expected %v", silu, r.out[i], z, want)
			}
		}
	}
}

// Build names the first layer that does not fit, and refuses outputs that nobody uses.
func TestBuildRefuses(t *testing.T) {
	vector := layer.Vector
	for want, f := range map[string]func(b *Builder) Node{
		"block3.sum: got 4 and 5, needs the same shape twice": func(b *Builder) Node {
			x := b.Input("z", vector(4))
			sum := b.Sum("block3.sum", x, b.Linear("w", x, 5))
			return b.Linear("later", b.SiLU(b.Sum("later.sum", sum, x)), 0)
		},
		"w: 0 channels: needs 1 or more": func(b *Builder) Node {
			return b.SiLU(b.Linear("w", b.Input("z", vector(4)), 0))
		},
		"z: a shape of 1 x 1 x 0: needs a number or more": func(b *Builder) Node {
			return b.Linear("w", b.Input("z", vector(0)), 2)
		},
		"w.silu: its output is not used": func(b *Builder) Node {
			y := b.Linear("w", b.Input("z", vector(4)), 3)
			b.SiLU(y)
			return y
		},
	} {
		n, err := Build(nil, f)
		if err == nil || err.Error() != want {
			t.Errorf("%v, expected %s", err, want)
		}
		if n != nil && !strings.Contains(want, "used") {
			t.Error("a network beside an error")
		}
	}
}

// TestSameBitsWithoutTraining: outputs and gradients by the input are those of training when there
// is no gradient by the parameters, because nobody asked for it or because they are constants.
func TestSameBitsWithoutTraining(t *testing.T) {
	size := Size{Rows: 5}
	for seed := range uint64(graphs) {
		n := graph(seed)
		p := paramsOf(n)
		want := planned(n, p, size)
		inputs, dout := inputsOf(n, size.Rows)
		for what, tape := range map[string]*Tape{
			"no training": n.NewTape(nil, p, size, Differentiate),
			"constants":   n.Frozen(p).NewTape(nil, nil, size, Train),
		} {
			for i := range tape.PackTasks() {
				tape.Pack(i)
			}
			got := results{out: make([]float32, len(want.out)), din: make([]float32, len(want.din))}
			pass := tape.Take(0, size.Rows)
			pass.run(inputs, dout, got)
			pass.Release()
			if !slices.Equal(got.out, want.out) || !slices.Equal(got.din, want.din) {
				t.Errorf("graph %d, %s: other bits", seed, what)
			}
			if tape.GradTasks() > 0 {
				t.Errorf("graph %d, %s: gradients by the parameters", seed, what)
			}
		}
	}
}
