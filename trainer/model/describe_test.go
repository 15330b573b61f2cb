package model_test

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/trainer/model"
)

// Steps come in an order in which they can be computed, and with all parameters.
func TestSteps(t *testing.T) {
	net := model.NewConditionalMLP(nil, 2, 3, 4, 5)
	steps, out := net.Steps()
	text, size := "", 0
	for i, s := range steps {
		text += fmt.Sprintf("%s %T %v %v;", s.Name, s.Layer, s.In, s.Shape)
		for _, in := range s.In {
			if in >= i {
				t.Errorf("%s reads step %d", s.Name, in)
			}
		}
		for _, p := range s.Params {
			size += p.Len
		}
	}
	const want = "z <nil> [] 3;condition <nil> [] 2;layer0 layer.Linear [0] 4;" +
		"condition layer.Linear [1] 4;conditioned layer.Sum [2 3] 4;" +
		"conditioned.silu layer.SiLU [4] 4;layer1 layer.Linear [5] 5;"
	if text != want || size != net.Layout().Size() || out != len(steps)-1 {
		t.Errorf("%s: %d parameters, output %d", text, size, out)
	}
}
