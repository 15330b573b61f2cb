package model

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/memory"
)

// The bytes of a tape are those of the arrays that its constructor makes; a test holds the two
// together. What does not grow with the rows, a few slices of slices, is left out.

// packedBytes is the memory of the layers' weights laid out for products, those of W^T for backward.
func packedBytes(layers []linear, backward bool) (bytes int64) {
	for _, l := range layers {
		rows, cols := l.in, l.out
		if backward {
			rows, cols = cols, rows
		}
		bytes += blas.FactorBytes(rows, cols)
	}
	return bytes
}

// PackedBytes implements Net.
func (m *MLP) PackedBytes(backward bool) int64 {
	bytes := packedBytes(m.layers, false)
	if backward {
		bytes += packedBytes(m.layers, true)
	}
	return bytes
}

// TapeBytes implements Net: input, output, two arrays for each hidden layer, and the gradient on
// its way back.
func (m *MLP) TapeBytes(rows int) int64 {
	per, widest := m.In()+m.Out(), 0
	for _, l := range m.layers[:len(m.layers)-1] {
		per += 2 * l.out
		widest = max(widest, l.out)
	}
	return memory.Array[float32](rows, per+widest)
}

// Arrays of rows x width in a scoreTape: pre, act, emb, h_L, dlast and back, and in each block
// h, s, a, u and v.
const scoreWide, blockWide = 6, 5

// TapeBytes implements ScoreNet: lambda and its features, input, output, and the wide arrays.
func (s *ResidualScore) TapeBytes(rows int) int64 {
	wide := scoreWide + blockWide*len(s.blocks)
	return memory.Array[float32](rows, 1+2*len(s.freq)+2*s.latent+wide*s.width)
}

// PackedBytes implements ScoreNet. No gradient passes the first layer of the embedding.
func (s *ResidualScore) PackedBytes(backward bool) int64 {
	layers := []linear{s.emb1, s.emb2, s.in, s.out}
	for _, b := range s.blocks {
		layers = append(layers, b.w1, b.w2)
	}
	bytes := packedBytes(layers, false)
	if backward {
		bytes += packedBytes(layers[1:], true)
	}
	return bytes
}
