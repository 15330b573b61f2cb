package model

import "fmt"

// Values are one array of a tape, rows of Width numbers, and the layer that computed it.
type Values struct {
	Layer string
	Width int
	X     []float32
}

// Traced is a tape that shows what each layer computed, as the tapes of this package do. It serves
// to find out where numbers stopped being finite.
type Traced interface {
	// Activations returns the output of each layer, in the order of Forward. They are valid from
	// Forward until Backward.
	Activations() []Values
	// Gradients returns the gradient by the output of each layer (before its nonlinearity, where it
	// has one), in the order of Backward. They are valid from Backward until Forward.
	Gradients() []Values
}

// Activations returns the activations of tape if it is Traced, and otherwise nil.
func Activations(tape any) []Values {
	if t, ok := tape.(Traced); ok {
		return t.Activations()
	}
	return nil
}

// Gradients returns the gradients of tape if it is Traced, and otherwise nil.
func Gradients(tape any) []Values {
	if t, ok := tape.(Traced); ok {
		return t.Gradients()
	}
	return nil
}

// Activations implements Traced.
func (t *mlpTape) Activations() []Values {
	var all []Values
	for i, x := range t.act {
		all = append(all, t.values(i, x))
	}
	return append(all, t.values(len(t.act), t.out))
}

// Gradients implements Traced.
func (t *mlpTape) Gradients() []Values {
	all := []Values{t.values(len(t.pre), t.out)}
	for i := len(t.pre) - 1; i >= 0; i-- {
		all = append(all, t.values(i, t.pre[i]))
	}
	return all
}

func (t *mlpTape) values(layer int, x []float32) Values {
	return Values{fmt.Sprintf("layer%d", layer), t.layers[layer].out, x}
}

// Activations implements Traced. The last layer's are the mean and the bounded log-variance.
func (t *encoderTape) Activations() []Values { return t.Tape.(Traced).Activations() }

// Gradients implements Traced.
func (t *encoderTape) Gradients() []Values { return t.Tape.(Traced).Gradients() }

// Activations implements Traced.
func (t *scoreTape) Activations() []Values {
	all := []Values{t.wide("emb1", t.act), t.wide("emb2", t.emb)}
	for l := range t.blocks { // h_l itself is the input of the skip, a[l] = silu(h_l + emb)
		all = append(all, t.wide(stem(l), t.a[l]), t.wide(fmt.Sprintf("block%d.w1", l), t.v[l]))
	}
	last := len(t.blocks)
	return append(all, t.wide(stem(last), t.h[last]), Values{"out", t.latent, t.r})
}

// Gradients implements Traced.
func (t *scoreTape) Gradients() []Values {
	last := len(t.blocks)
	all := []Values{{"out", t.latent, t.r}, t.wide(stem(last), t.dh(last))}
	for l := last - 1; l >= 0; l-- {
		all = append(all, t.wide(fmt.Sprintf("block%d.w1", l), t.u[l]), t.wide(stem(l), t.dh(l)))
	}
	return append(all, t.wide("emb2", t.emb), t.wide("emb1", t.pre))
}

// stem is the name of the layer that computed h_l.
func stem(l int) string {
	if l == 0 {
		return "in"
	}
	return fmt.Sprintf("block%d.w2", l-1)
}

func (t *scoreTape) wide(layer string, x []float32) Values { return Values{layer, t.width, x} }
