package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/likelihood"
)

// A network becomes an ONNX model with one graph, which computes in float32:
//
//	decoder   z, n x latent                            -> x, n x height x width x channels
//	score     z, n x latent; lambda, n x 1             -> eps, n x latent
//	encoder   x, n x height x width x channels         -> mean and logvar, n x latent each
//
// and all that read classes have an input condition, n x classes: a one for the class, zeros for
// any. Latents are rows as plume writes them. Where latents are standardised, the decoder reads z,
// and the score network u = (z - mean)/exp(log_scale) (Prior).

// maxONNX is the most bytes of an ONNX file, which protobuf limits to 2 GiB.
const maxONNX = math.MaxInt32

// writeONNX writes a file for each network.
func (m *Model) writeONNX(sys file.System, path string, description []byte) error {
	for _, name := range []string{Decoder, Score, Encoder} {
		if _, ok := m.Networks[name]; !ok {
			continue
		}
		path := onnxPath(path, name)
		raw, err := m.ONNX(name, description)
		if err == nil {
			err = file.WriteBytes(sys, path, raw)
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}

// checksumField is the entry of an ONNX model's metadata that has the SHA-256 of the whole file
// with zeros in place of its own digits.
func checksumField(digits string) (m message) {
	m.text(metadataName, checkpoint.ChecksumKey)
	m.text(metadataValue, digits)
	return m
}

var noDigits = strings.Repeat("0", 2*sha256.Size)

// ONNX returns the ONNX model of one of the networks, with a description in its metadata. A layer
// without operators in ONNX, and a network of 2 GiB or more, are errors.
func (m *Model) ONNX(network string, description []byte) ([]byte, error) {
	g, err := m.graph(network)
	if err != nil {
		return nil, err
	}
	var out, version message
	out.int(modelIR, irVersion)
	out.text(modelProducer, "plume")
	out.text(modelVersion, m.Version)
	out.message(modelGraph, g.encode(network))
	version.int(opsetVersion, opset)
	out.message(modelOpset, version)
	for _, entry := range [][2]string{
		{metadataKey, string(description)}, {metadataKey + "_network", network},
	} {
		var e message
		e.text(metadataName, entry[0])
		e.text(metadataValue, entry[1])
		out.message(modelMetadata, e)
	}
	before := len(out)
	out.message(modelMetadata, checksumField(noDigits))
	if len(out) > maxONNX {
		return nil, fmt.Errorf("a network of %d bytes: expected at most %d, which is what ONNX "+
			"can hold; export it as .safetensors", len(out), maxONNX)
	}
	sum := sha256.Sum256(out)
	copy(out[before:], bytes.Replace(out[before:], []byte(noDigits),
		[]byte(hex.EncodeToString(sum[:])), 1))
	return out, nil
}

// graph translates a network.
func (m *Model) graph(network string) (*graph, error) {
	n, ok := m.Networks[network]
	if !ok {
		return nil, fmt.Errorf("the model has no %s", network)
	}
	t := &translator{
		graph: &graph{}, model: m, values: map[string]value{},
		weights: map[string]checkpoint.Tensor{},
	}
	switch m.Likelihood {
	case "":
	case likelihood.Clip:
		t.clipped = true
	default:
		columns, err := likelihood.ParseColumns(m.Likelihood)
		if err != nil {
			return nil, fmt.Errorf("likelihood: %w", err)
		}
		t.columns = columns
	}
	for _, w := range m.Tensors {
		t.weights[w.Name] = w
	}
	for _, node := range n.Nodes {
		t.at = node.Name
		v, err := t.translate(node)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", network, node.Name, err)
		}
		t.values[node.Name] = value{v, node.Shape}
	}
	t.at = "output"
	t.finish(network, t.values[n.Output])
	return t.graph, nil
}

// finish adds what comes after a network's last layer, and the outputs.
func (t *translator) finish(network string, out value) {
	identity := func(name, v string, dims ...int) {
		t.node("Identity", []string{v}, []string{name})
		t.outputs = append(t.outputs, declare(name, dims...))
	}
	d := t.model.Latent.Layer().Len()
	switch s := t.model.Data.Shape; network {
	case Decoder:
		x := t.means(t.flat(out))
		identity("x", t.reshape(x, s[0], s[1], s[2]), s[0], s[1], s[2])
	case Encoder:
		halves := t.ops("Split", 2, []string{t.flat(out)}, attribute{name: "axis", i: 1})
		identity("mean", halves[0], d)
		identity("logvar", halves[1], d)
	default: // eps = sigma z + r, sigma^2 = 1/(1 + exp(lambda))
		square := t.op("Sigmoid", []string{t.op("Neg", []string{"lambda"})})
		scaled := t.op("Mul", []string{t.op("Sqrt", []string{square}), "z"})
		identity("eps", t.op("Add", []string{scaled, t.flat(out)}), d)
	}
}

// value is the name of a node's output in the graph. Of rows of one pixel it is n x channels, of
// others n x channels x height x width.
type value struct {
	name  string
	shape Shape
}

func (s Shape) vector() bool { return s[0]*s[1] == 1 }

// translator translates the nodes of a network.
type translator struct {
	*graph
	model   *Model
	columns likelihood.Columns // of a row; none: the decoder gives its values
	clipped bool               // which are cut off at -1 and 1
	values  map[string]value
	weights map[string]checkpoint.Tensor
}

// picture is a value as n x channels x height x width.
func (t *translator) picture(v value) string {
	if !v.shape.vector() {
		return v.name
	}
	return t.reshape(v.name, v.shape[2], 1, 1)
}

// back is a picture of that shape as a value of it.
func (t *translator) back(picture string, s Shape) string {
	if !s.vector() {
		return picture
	}
	return t.reshape(picture, s[2])
}

// flat is a value as rows of numbers, channels last.
func (t *translator) flat(v value) string {
	if v.shape.vector() {
		return v.name
	}
	return t.reshape(t.transpose(v.name, 0, 2, 3, 1), v.shape.Layer().Len())
}

// perChannel is a vector of a number for each channel of rows, n x channels, as a factor of v.
func (t *translator) perChannel(vector string, v value) string {
	if v.shape.vector() {
		return vector
	}
	return t.reshape(vector, v.shape[2], 1, 1)
}

// constant adds a parameter of a node with the given dimensions; none: its own.
func (t *translator) constant(n Node, role string, dims ...int) string {
	w := t.weights[n.P[role]]
	if dims == nil {
		dims = w.Shape
	}
	return t.floats(n.P[role], w.F32, dims...)
}

// channels adds a parameter of a number for each channel, as a term or factor of v.
func (t *translator) channels(n Node, role string, v value) string {
	if v.shape.vector() {
		return t.constant(n, role, v.shape[2])
	}
	return t.constant(n, role, v.shape[2], 1, 1)
}

var errONNX = errors.New("no operators of ONNX compute it")

// translate adds a node's operators and returns its value.
func (t *translator) translate(n Node) (string, error) {
	var in []value
	for _, name := range n.In {
		in = append(in, t.values[name])
	}
	if n.Op == Input {
		return t.input(n), nil
	}
	f, ok := operators[n.Op]
	if !ok {
		return "", fmt.Errorf("%s: %w", n.Op, errONNX)
	}
	return f(t, n, in), nil
}

// input adds an input: images as pictures, all others as rows of numbers.
func (t *translator) input(n Node) string {
	if n.Name == "x" {
		s := t.model.Data.Shape
		t.inputs = append(t.inputs, declare(n.Name, s[0], s[1], s[2]))
	} else {
		t.inputs = append(t.inputs, declare(n.Name, n.Shape.Layer().Len()))
	}
	switch {
	case n.Shape.vector() && n.Name == "x":
		return t.reshape(n.Name, n.Shape[2])
	case n.Shape.vector():
		return n.Name
	}
	return t.transpose(t.reshape(n.Name, n.Shape[0], n.Shape[1], n.Shape[2]), 0, 3, 1, 2)
}
