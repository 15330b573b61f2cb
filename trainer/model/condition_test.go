package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// conditionals are networks that read conditions of 3 numbers.
func conditionals() map[string]*model.Net {
	z, picture := layer.Shape{H: 2, W: 3, C: 2}, layer.Shape{H: 4, W: 6, C: 3}
	stages := model.Stages{Channels: []int{4, 6}, Blocks: 1, Condition: 3}
	return map[string]*model.Net{
		"mlp":          model.NewConditionalMLP(nil, 3, 4, 5, 6),
		"encoder":      model.NewConditionalEncoder(nil, 5, 3, 2, 6),
		"score":        model.NewConditionalScore(nil, 4, 3, 6, 1, 4),
		"conv decoder": model.Must(model.NewConvDecoder(nil, z, picture, stages)),
		"conv encoder": model.Must(model.NewConvEncoder(nil, picture, z, stages)),
		"unet": model.Must(model.NewUNet(nil, layer.Shape{H: 2, W: 4, C: 2}, model.UNet{
			Channels: []int{4, 6}, Blocks: 1, Embedding: 5, Features: 4, Condition: 3,
		})),
		"transformer": model.Must(model.NewTransformer(nil, z, model.Transformer{
			Width: 4, Blocks: 1, Heads: 2, Features: 4, Condition: 3,
		})),
	}
}

// A condition changes its own row and no other; zeros are no condition, and datapoints share theirs
// among their rows.
func TestConditions(t *testing.T) {
	const rows = 6
	given := reference.Normals(3*3, 8, 1) // of three datapoints
	clear(given[:3])
	for name, net := range conditionals() {
		params := reference.Normals(net.Layout().Size(), 1, 0.5)
		tape := net.NewTape(nil, params, model.Size{Rows: rows + 2}, model.Evaluate)
		pack(tape)
		out := func(conditions []float32, first, each int) []float32 {
			pass := tape.Take(0, rows)
			defer pass.Release()
			for row := range rows { // all rows alike
				copy(pass.In(0)[row*net.In():], reference.Normals(net.In(), 2, 1))
			}
			if level := net.Input(model.Lambda); level >= 0 {
				clear(pass.In(level))
			}
			pass.SetCondition(conditions, first, each)
			pass.Forward()
			return slices.Clone(pass.Out())
		}
		row := func(x []float32, i int) []float32 { return x[i*net.Out() : (i+1)*net.Out()] }
		none, some := out(nil, 0, 1), out(given, 1, 3)
		if net.Conditions() != 3 {
			t.Errorf("%s: conditions of %d numbers", name, net.Conditions())
		}
		// rows 1 to 6 of the batch, in threes: datapoints 0, 0, 1, 1, 1, 2
		for i, of := range []int{0, 0, 1, 1, 1, 2} {
			if same := slices.Equal(row(some, i), row(none, i)); same != (of == 0) {
				t.Errorf("%s: row %d is that without a condition: %v", name, i, same)
			}
			first := row(some, 2)
			if same := slices.Equal(row(some, i), first); same != (of == 1) {
				t.Errorf("%s: row %d is that of datapoint 1: %v", name, i, same)
			}
		}
	}
}

// Networks without stages are refused, as other sizes that fit nothing.
func TestNoChannels(t *testing.T) {
	z, picture := layer.Shape{H: 2, W: 2, C: 2}, layer.Shape{H: 2, W: 2, C: 3}
	for _, channels := range [][]int{nil, {0}, {-1}, {8, 0}} {
		stages := model.Stages{Channels: channels, Blocks: 1}
		_, decoder := model.NewConvDecoder(nil, z, picture, stages)
		_, encoder := model.NewConvEncoder(nil, picture, z, stages)
		_, unet := model.NewUNet(nil, z, model.UNet{
			Channels: channels, Blocks: 1, Embedding: 4, Features: 4,
		})
		for network, err := range map[string]error{
			"decoder": decoder, "encoder": encoder, "U-Net": unet,
		} {
			if err == nil || !strings.Contains(err.Error(), "channels: needs") {
				t.Errorf("%s of %v channels: %v", network, channels, err)
			}
		}
	}
}
