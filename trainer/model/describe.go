package model

import "github.com/plume-ml/plume/trainer/layer"

// Step is a value of a network: an input, or the output of a layer.
type Step struct {
	Name   string
	Layer  layer.Layer // nil: an input
	In     []int       // numbers of the steps that the layer reads
	Shape  layer.Shape // of a row
	Params []Param     // of the layer, in its order
}

// Steps lists the values of a network in an order in which they can be computed, and returns the
// number of the one that is the output.
func (n *Net) Steps() (steps []Step, out int) {
	for _, node := range n.nodes {
		s := Step{Name: node.name, Layer: node.layer, Shape: node.shape}
		for _, in := range node.in {
			s.In = append(s.In, int(in))
		}
		for _, k := range node.params {
			s.Params = append(s.Params, n.layout.params[k])
		}
		steps = append(steps, s)
	}
	return steps, int(n.out)
}
