package layer

// Linear is y = x W + b at every pixel, W of C x Channels: a convolution of one pixel.
type Linear struct {
	Channels int  // of the output
	Zero     bool // W and b start at zero; else uniform within 1/sqrt(C), as in PyTorch
}

func (l Linear) conv() Conv { return Conv{Channels: l.Channels, Size: 1, Zero: l.Zero} }

// Out implements Layer.
func (l Linear) Out(in ...Shape) (Shape, error) { return l.conv().Out(in...) }

// Params implements Layer.
func (l Linear) Params(in ...Shape) []Param {
	params := l.conv().Params(in...)
	params[0].Shape = params[0].Shape[2:] // one pixel
	return params
}

// Memory implements Layer.
func (l Linear) Memory(in ...Shape) Memory { return l.conv().Memory(in...) }

// Bind implements Layer.
func (l Linear) Bind(v Values, in ...Shape) Pair { return l.conv().Bind(v, in...) }
