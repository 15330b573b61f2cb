package classify

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
)

// Key identifies a classifier by all that Train makes it of.
type Key [sha256.Size]byte

// version must change when Train makes another classifier of the same images and options.
const version = 1

// KeyOf returns the key of the classifier that Train makes of ds, whose fingerprint is that of
// package data: a hash of that, the labels, the options, and the backend of matrix products.
func KeyOf(fingerprint string, ds data.Dataset, o Options) (k Key) {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s %s %#v\n", version, fingerprint, blas.Info().Backend, o)
	for i := range ds.Len() {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(ds.Label(i))))
	}
	h.Sum(k[:0])
	return k
}

// ErrOther is returned by Load for a file that holds another classifier.
var ErrOther = errors.New("classify: a classifier of other images, or with other options")

// Save writes the classifier, whose key is k, to a safetensors file, complete or not at all.
func (c *Classifier) Save(sys file.System, path string, k Key) error {
	s := newStored(c)
	s.key, s.hash = words(k[:]), words(c.sum())
	s.accuracy[0], s.tested[0] = c.Accuracy, uint32(c.Tested)
	return checkpoint.WriteFile(sys, path, nil, append(s.head(), s.rest()...))
}

// Load reads the classifier of the images and options that k is the key of (KeyOf). The error is
// ErrOther if the file holds another one, and that of package os if there is no file. Others are
// those of damage.
func Load(path string, k Key, ds data.Dataset, o Options) (*Classifier, error) {
	c := &Classifier{Options: o}
	s := newStored(c)
	if err := checkpoint.ReadFile(path, s.head()); err != nil {
		return nil, err
	}
	if [8]uint32(s.key) != [8]uint32(words(k[:])) {
		return nil, ErrOther
	}
	known, err := data.ClassesOf(ds)
	if err != nil {
		return nil, fmt.Errorf("classify: %w", err)
	}
	c.Classes = known.Labels
	if err := c.build(ds.Shape()); err != nil {
		return nil, err
	}
	if err := checkpoint.ReadFile(path, s.rest()); err != nil {
		return nil, err
	}
	if [8]uint32(s.hash) != [8]uint32(words(c.sum())) {
		return nil, fmt.Errorf("%s: the weights have changed since they were saved", path)
	}
	c.Accuracy, c.Tested = s.accuracy[0], int(s.tested[0])
	return c, nil
}

// stored is the numbers of a classifier's file.
type stored struct {
	*Classifier
	key, hash []uint32 // hash is that of the weights
	tested    []uint32
	accuracy  []float64
}

func newStored(c *Classifier) stored {
	return stored{
		c, make([]uint32, sha256.Size/4), make([]uint32, sha256.Size/4), make([]uint32, 1),
		make([]float64, 1),
	}
}

// head is the tensors that say which classifier it is.
func (s stored) head() []checkpoint.Tensor {
	return []checkpoint.Tensor{{Name: "key", Shape: []int{len(s.key)}, U32: s.key}}
}

// rest is the other tensors.
func (s stored) rest() []checkpoint.Tensor {
	tensors := []checkpoint.Tensor{
		{Name: "sha256", Shape: []int{len(s.hash)}, U32: s.hash},
		{Name: "test_accuracy", Shape: []int{1}, F64: s.accuracy},
		{Name: "test_images", Shape: []int{1}, U32: s.tested},
	}
	for _, p := range s.net.Layout().Params() {
		weights := s.p[p.Offset : p.Offset+p.Len]
		tensors = append(tensors, checkpoint.Tensor{Name: p.Name, Shape: p.Shape, F32: weights})
	}
	return tensors
}

// words is bytes as 32-bit numbers.
func words(bytes []byte) []uint32 {
	w := make([]uint32, len(bytes)/4)
	for i := range w {
		w[i] = binary.BigEndian.Uint32(bytes[4*i:])
	}
	return w
}
