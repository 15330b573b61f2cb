package classify

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// Network describes the way from an image to its features: an MLP, or a convolutional network.
type Network struct {
	Hidden []int // widths of the hidden layers of an MLP; the last is the number of features

	// A convolutional network has stages; the first channels are the number of features. Before it,
	// the image is cut into patches of 2^Halvings pixels in each direction, whose numbers become
	// channels.
	Halvings int
	Stages   model.Stages
}

// Convolutional reports whether the network is one.
func (n Network) Convolutional() bool { return len(n.Stages.Channels) > 0 }

func (n Network) String() string {
	if n.Convolutional() {
		return "convolutional"
	}
	return "MLP"
}

// firstSide is the largest side of a picture of patches.
const firstSide = 16

// defaultNetwork returns the network that suits images of the given shape.
func defaultNetwork(image data.Shape) Network {
	if !model.SuitsConv(layer.Shape(image)) {
		return Network{Hidden: []int{256, 128}}
	}
	n := Network{Stages: model.Stages{Channels: []int{32}, Blocks: 1}}
	h, w := image.H, image.W
	halve := func() (even bool) {
		if even = h%2 == 0 && w%2 == 0; even {
			h, w = h/2, w/2
		}
		return even
	}
	for max(h, w) > firstSide && halve() {
		n.Halvings++
	}
	for len(n.Stages.Channels) < 3 && halve() {
		n.Stages.Channels = append([]int{2 * n.Stages.Channels[0]}, n.Stages.Channels...)
	}
	return n
}

// build makes the networks for images of the given shape, with initial parameters.
func (c *Classifier) build(image data.Shape) error {
	trunk := func(b *model.Builder) model.Node { return c.Network.features(b, image) }
	net := func(b *model.Builder) model.Node {
		return b.Linear("head", trunk(b), len(c.Classes))
	}
	var err error
	if c.net, err = model.Build(nil, net); err != nil {
		return fmt.Errorf("classify: images of %v: %w", image, err)
	}
	c.trunk = model.Must(model.Build(nil, trunk)) // a part of net
	c.p = make([]float32, c.net.Layout().Size())
	c.net.Layout().Init(c.p, c.Seed, 0)
	return nil
}

// features adds the layers from an image to its features. Those of a convolutional network are
// means over the pixels.
func (n Network) features(b *model.Builder, image data.Shape) model.Node {
	if !n.Convolutional() {
		return b.SiLU(b.MLP(b.Given("x", layer.Vector(image.Dim())), n.Hidden))
	}
	x := b.Given("x", layer.Shape(image))
	for i := range n.Halvings {
		x = b.Add(fmt.Sprintf("patch%d", i), layer.Merge{}, x)
	}
	if n.Halvings > 1 { // more numbers than a convolution should see many times
		x = b.Linear("patches", x, n.Stages.Channels[len(n.Stages.Channels)-1])
	}
	return b.Add("mean", layer.Mean{}, b.Contract(x, n.Stages))
}

// mostTileRows is the number of images that one task runs through an MLP.
const mostTileRows = 25

// tileRows is the number of images that one task runs through the network. The bits depend on it
// with a BLAS whose sums do.
func (c *Classifier) tileRows() int { return min(mostTileRows, c.net.TileRows()) }
