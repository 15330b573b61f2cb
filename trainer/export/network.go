package export

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// Network describes a network: its values in an order in which they can be computed.
type Network struct {
	Nodes      []Node `json:"nodes"`
	Output     string `json:"output"` // name of the value that it returns
	Parameters int    `json:"parameters"`
}

// Node is a value of a network.
type Node struct {
	Name  string            `json:"name"`
	Op    Op                `json:"op"`
	In    []string          `json:"in,omitempty"` // values that it is computed of
	Shape Shape             `json:"shape"`        // of a row of it
	P     map[string]string `json:"params,omitempty"`

	Heads       int       `json:"heads,omitempty"`       // of attention
	Groups      int       `json:"groups,omitempty"`      // of groupnorm
	SiLU        bool      `json:"silu,omitempty"`        // ends groupnorm
	Frequencies []float32 `json:"frequencies,omitempty"` // of sinusoids
}

// Op is what a node computes. Package layer has the mathematics of each.
type Op string

// The operations. Inputs have the names z, x, lambda and condition.
const (
	Input     Op = "input"
	Linear    Op = "linear" // of the channels of each pixel
	Conv      Op = "conv"   // with zeros beyond the borders, as many pixels as before
	SiLU      Op = "silu"
	Sum       Op = "sum"
	SumSiLU   Op = "sum-silu"
	GroupNorm Op = "groupnorm"
	RMSNorm   Op = "rmsnorm"
	Attention Op = "attention"
	Gate      Op = "gate"
	Positions Op = "positions"
	Merge     Op = "merge" // 2 x 2 pixels become channels; of a row of pixels, 2
	Split     Op = "split" // the inverse of merge
	Concat    Op = "concat"
	Mean      Op = "mean" // over the pixels
	Moments   Op = "moments"
	Sinusoids Op = "sinusoids"
	Scales    Op = "scales" // a vector, followed by parameters
)

// describe returns the description of a network whose tensors' names begin with that prefix. The
// error names the first layer that it does not know.
func describe(prefix string, net *model.Net) (Network, error) {
	steps, out := net.Steps()
	names := uniqueNames(steps)
	n := Network{Output: names[out]}
	for i, s := range steps {
		node := Node{Name: names[i], Shape: shapeOf(s.Shape)}
		for _, in := range s.In {
			node.In = append(node.In, names[in])
		}
		if err := node.setLayer(s.Layer); err != nil {
			return Network{}, fmt.Errorf("%s.%s: %w", prefix, s.Name, err)
		}
		for _, p := range s.Params {
			if node.P == nil {
				node.P = map[string]string{}
			}
			node.P[p.Name[len(s.Name)+1:]] = prefix + "." + p.Name
			n.Parameters += p.Len
		}
		n.Nodes = append(n.Nodes, node)
	}
	return n, nil
}

// uniqueNames names the steps; those whose name another one has get a number after it.
func uniqueNames(steps []model.Step) []string {
	names, seen := make([]string, len(steps)), map[string]int{}
	for i, s := range steps {
		names[i] = s.Name
		if seen[s.Name]++; seen[s.Name] > 1 {
			names[i] = fmt.Sprintf("%s#%d", s.Name, seen[s.Name])
		}
	}
	return names
}

// setLayer sets the operation to that of a layer, with its sizes; nil: an input.
func (n *Node) setLayer(l layer.Layer) error {
	switch l := l.(type) {
	case nil:
		n.Op = Input
	case layer.Linear:
		n.Op = Linear
	case layer.Conv:
		n.Op = Conv
	case layer.SiLU:
		n.Op = SiLU
	case layer.Sum:
		n.Op = Sum
	case layer.SumSiLU:
		n.Op = SumSiLU
	case layer.GroupNorm:
		n.Op, n.Groups, n.SiLU = GroupNorm, l.Groups, l.SiLU
	case layer.RMSNorm:
		n.Op = RMSNorm
	case layer.Attention:
		n.Op, n.Heads = Attention, l.Heads
	case layer.Gate:
		n.Op = Gate
	case layer.Positions:
		n.Op = Positions
	case layer.Merge:
		n.Op = Merge
	case layer.Split:
		n.Op = Split
	case layer.Concat:
		n.Op = Concat
	case layer.Mean:
		n.Op = Mean
	case layer.Moments:
		n.Op = Moments
	case layer.Scales:
		n.Op = Scales
	case layer.Sinusoids:
		n.Op, n.Frequencies = Sinusoids, l.Frequencies()
	default:
		return fmt.Errorf("a layer of type %T cannot be exported", l)
	}
	return nil
}

// torchAxes says in which order the axes of a layer's parameter of the given shape come in PyTorch;
// nil: as they are.
func torchAxes(l layer.Layer, shape []int) []int {
	switch l.(type) {
	case layer.Linear:
		if len(shape) == 2 { // in x out
			return []int{1, 0}
		}
	case layer.Conv:
		if len(shape) == 4 { // height x width x in x out
			return []int{3, 2, 0, 1}
		}
	case layer.Positions: // height x width x channels
		return []int{2, 0, 1}
	}
	return nil
}
