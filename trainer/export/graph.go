package export

import (
	"encoding/binary"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of ONNX's messages (onnx.proto of the specification of ONNX, IR version 8).
const (
	modelIR, modelProducer, modelVersion, modelGraph protowire.Number = 1, 2, 3, 7
	modelOpset, modelMetadata                        protowire.Number = 8, 14
	opsetVersion                                     protowire.Number = 2
	metadataName, metadataValue                      protowire.Number = 1, 2

	graphNode, graphName, graphInitializer protowire.Number = 1, 2, 5
	graphInput, graphOutput                protowire.Number = 11, 12

	nodeInput, nodeOutput, nodeName, nodeOp, nodeAttribute protowire.Number = 1, 2, 3, 4, 5

	attributeName, attributeInt, attributeText protowire.Number = 1, 3, 4
	attributeInts, attributeType               protowire.Number = 8, 20

	tensorDim, tensorType, tensorName, tensorRaw protowire.Number = 1, 2, 8, 9

	infoName, infoType             protowire.Number = 1, 2
	typeTensor                     protowire.Number = 1
	typeElement, typeShape         protowire.Number = 1, 2
	shapeDim                       protowire.Number = 1
	dimensionValue, dimensionParam protowire.Number = 1, 2
)

// Values of enumerations.
const (
	elementFloat, elementInt64  = 1, 7
	kindInt, kindText, kindInts = 2, 3, 7
)

// irVersion and opset are the oldest that have all operators used here. With opset 18 ReduceMean
// and Split change.
const irVersion, opset = 8, 17

// graph is an ONNX graph under construction. The first dimension of its inputs and outputs is n,
// the number of rows.
type graph struct {
	nodes, constants, inputs, outputs []message
	at                                string // what values are named after
	count                             int
}

// attribute is one of a node's.
type attribute struct {
	name string
	i    int64
	s    string
	ints []int64
}

func (a attribute) message() (m message) {
	m.text(attributeName, a.name)
	switch {
	case a.ints != nil:
		for _, v := range a.ints {
			m.int(attributeInts, v)
		}
		m.int(attributeType, kindInts)
	case a.s != "":
		m.text(attributeText, a.s)
		m.int(attributeType, kindText)
	default:
		m.int(attributeInt, a.i)
		m.int(attributeType, kindInt)
	}
	return m
}

// fresh returns a new name.
func (g *graph) fresh(what string) string {
	g.count++
	return fmt.Sprintf("%s/%s%d", g.at, strings.ToLower(what), g.count)
}

// op adds a node and returns its output.
func (g *graph) op(name string, in []string, attributes ...attribute) string {
	return g.ops(name, 1, in, attributes...)[0]
}

// ops adds a node with several outputs.
func (g *graph) ops(name string, outputs int, in []string, attributes ...attribute) []string {
	out := make([]string, outputs)
	for i := range out {
		out[i] = g.fresh(name)
	}
	g.node(name, in, out, attributes...)
	return out
}

func (g *graph) node(name string, in, out []string, attributes ...attribute) {
	var m message
	for _, v := range in {
		m.text(nodeInput, v)
	}
	for _, v := range out {
		m.text(nodeOutput, v)
	}
	m.text(nodeName, out[0])
	m.text(nodeOp, name)
	for _, a := range attributes {
		m.message(nodeAttribute, a.message())
	}
	g.nodes = append(g.nodes, m)
}

// tensor adds a constant.
func (g *graph) tensor(name string, element int64, raw []byte, dims ...int) {
	var m message
	for _, d := range dims {
		m.int(tensorDim, int64(d))
	}
	m.int(tensorType, element)
	m.text(tensorName, name)
	m.bytes(tensorRaw, raw)
	g.constants = append(g.constants, m)
}

// floats adds a constant of float32.
func (g *graph) floats(name string, x []float32, dims ...int) string {
	raw, _ := binary.Append(nil, binary.LittleEndian, x) // float32 has a fixed size
	g.tensor(name, elementFloat, raw, dims...)
	return name
}

// number adds a scalar.
func (g *graph) number(x float32) string {
	return g.floats(g.fresh("number"), []float32{x})
}

// int64s adds a vector of integers.
func (g *graph) int64s(x ...int64) string {
	raw, _ := binary.Append(nil, binary.LittleEndian, x)
	name := g.fresh("shape")
	g.tensor(name, elementInt64, raw, len(x))
	return name
}

// reshape gives a row other dimensions.
func (g *graph) reshape(x string, dims ...int) string {
	all := []int64{0} // as many rows
	for _, d := range dims {
		all = append(all, int64(d))
	}
	return g.op("Reshape", []string{x, g.int64s(all...)})
}

func (g *graph) transpose(x string, axes ...int64) string {
	return g.op("Transpose", []string{x}, attribute{name: "perm", ints: axes})
}

// mean is the mean over axes, which stay with one element.
func (g *graph) mean(x string, axes ...int64) string {
	return g.op("ReduceMean", []string{x}, attribute{name: "axes", ints: axes},
		attribute{name: "keepdims", i: 1})
}

// declare describes an input or output of n rows.
func declare(name string, dims ...int) (m message) {
	var shape message
	dim := message{}
	dim.text(dimensionParam, "n")
	shape.message(shapeDim, dim)
	for _, d := range dims {
		dim = message{}
		dim.int(dimensionValue, int64(d))
		shape.message(shapeDim, dim)
	}
	var of, kind message
	of.int(typeElement, elementFloat)
	of.message(typeShape, shape)
	kind.message(typeTensor, of)
	m.text(infoName, name)
	m.message(infoType, kind)
	return m
}

// encode returns the graph.
func (g *graph) encode(name string) (m message) {
	for _, node := range g.nodes {
		m.message(graphNode, node)
	}
	m.text(graphName, name)
	for _, c := range g.constants {
		m.message(graphInitializer, c)
	}
	for _, in := range g.inputs {
		m.message(graphInput, in)
	}
	for _, out := range g.outputs {
		m.message(graphOutput, out)
	}
	return m
}
