package blas

// Left is the left factor of a product: a matrix where it lies, or the patches of pictures, which
// are gathered while they are multiplied.
type Left struct {
	m      Matrix // of patches, Data is the pictures and Stride means nothing
	window Window // zero: a matrix
	first  int    // the patches' column that is column 0

	kept Rounded // which m views, unless its order is nil
}

// Left is the matrix as a left factor.
func (m Matrix) Left() Left { return Left{m: m} }

// Window is what each pixel of a picture sees of it: KH x KW pixels around itself, odd numbers.
// Pictures are H x W pixels of C channels, channels last. A signal is a picture with H = 1.
type Window struct{ H, W, C, KH, KW int }

func (w Window) valid() bool {
	return w.H > 0 && w.W > 0 && w.C > 0 && w.KH > 0 && w.KW > 0 && w.KH%2 == 1 && w.KW%2 == 1
}

// run is how many numbers of a patch lie in one row of pixels.
func (w Window) run() int { return w.KW * w.C }

// Patches is the matrix with a row for each pixel of the pictures, one picture after the other, and
// in it the pixels of its window: in row (n*H+h)*W+w, column (kh*KW+kw)*C+c is channel c of pixel
// (h+kh-KH/2, w+kw-KW/2) of picture n, or 0 outside of it. So a convolution is a product by
// weights of KH*KW*C x channels.
func Patches(data []float32, pictures int, w Window) Left {
	pixels := pictures * w.H * w.W
	if !w.valid() || pictures < 0 || len(data) < pixels*w.C {
		panic(errShape)
	}
	if w.KH == 1 && w.KW == 1 {
		return Dense(data, pixels, w.C).Left()
	}
	m := Matrix{Rows: pixels, Cols: w.KH * w.run(), Stride: w.KH * w.run(), Data: data[:pixels*w.C]}
	return Left{m: m, window: w}
}

// Slice is the view of columns lo to hi (exclusive). Of what is [Rounded], lo is a multiple of
// [Group].
func (l Left) Slice(lo, hi int) Left {
	switch {
	case l.gathered() && l.kept.order != nil && (l.first+lo)%Group != 0:
		panic(errShape)
	case l.gathered():
	case l.kept.order != nil:
		return l.kept.Slice(lo, hi).Left()
	default:
		return l.m.Slice(lo, hi).Left()
	}
	l.first += lo
	l.m.Cols = hi - lo
	return l
}

// rows is the view of rows lo to hi (exclusive): of patches, those of whole pictures.
func (l Left) rows(lo, hi int) Left {
	switch {
	case l.kept.order != nil && l.gathered():
		part := l.kept.Rows(lo, hi).Patches()
		part.first, part.m.Cols = l.first, l.m.Cols
		return part
	case l.kept.order != nil:
		return l.kept.Rows(lo, hi).Left()
	case !l.gathered():
		return l.m.rows(lo, hi).Left()
	}
	l.m.Data = l.m.Data[lo*l.window.C : hi*l.window.C]
	l.m.Rows = hi - lo
	return l
}

func (l Left) gathered() bool { return l.window.C > 0 }

func (l Left) valid() bool {
	if l.gathered() {
		w := l.window
		return l.m.Cols >= 0 && l.first >= 0 && l.first+l.m.Cols <= w.KH*w.run()
	}
	return l.kept.order != nil || l.m.valid()
}
