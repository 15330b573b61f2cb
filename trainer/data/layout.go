package data

import (
	"fmt"
	"math"
	"strings"
)

// maxElements keeps the byte count of a float64 array within an int.
const maxElements = math.MaxInt / 8

// elements returns the number of elements of an array with the given dimensions.
func elements(dims []int) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 1 {
			return 0, fmt.Errorf("has the dimensions %s; expected none below 1", joinDims(dims))
		}
		if n > maxElements/d {
			return 0, fmt.Errorf("has the dimensions %s, more elements than can be addressed",
				joinDims(dims))
		}
		n *= d
	}
	return n, nil
}

func joinDims(dims []int) string {
	parts := make([]string, len(dims))
	for i, d := range dims {
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, " x ")
}

// imageShape returns the shape of one image in an array M x D, M x H x W or M x H x W x C. Rows of
// D numbers are square gray images if D is a square.
func imageShape(dims []int) (Shape, error) {
	switch len(dims) {
	case 1:
		return Shape{}, fmt.Errorf("has 1 dimension (%d); expected 2 to 4, M x D, M x H x W or "+
			"M x H x W x C: save x.reshape(M, D), with the number M of rows",
			dims[0])
	case 2:
		d := dims[1]
		if side := int(math.Round(math.Sqrt(float64(d)))); side*side == d {
			return Shape{side, side, 1}, nil
		}
		return Shape{1, d, 1}, nil
	case 3:
		return Shape{dims[1], dims[2], 1}, nil
	case 4:
		if !isChannels(dims[3]) {
			return Shape{}, fmt.Errorf("has the dimensions %s, %d channels; expected 1 (gray) "+
				"or 3 (RGB) in the last dimension%s",
				joinDims(dims), dims[3], channelRemedy(dims))
		}
		return Shape{dims[1], dims[2], dims[3]}, nil
	}
	return Shape{}, fmt.Errorf("has %d dimensions (%s); expected 2 to 4: M x D, M x H x W "+
		"or M x H x W x C",
		len(dims), joinDims(dims))
}

// rowShape returns the shape of one row of an array that is of the given kind; Auto: of images.
func rowShape(dims []int, as Kind) (Shape, error) {
	switch {
	case as == Signals && len(dims) == 2:
		return Shape{1, dims[1], 1}, nil
	case as == Signals && len(dims) == 3:
		return Shape{1, dims[1], dims[2]}, nil
	case as == Signals:
		return Shape{}, fmt.Errorf("has %d dimensions (%s); expected M x T or M x T x C with "+
			"--as signals", len(dims), joinDims(dims))
	case as == Numbers && len(dims) == 2:
		return Shape{1, dims[1], 1}, nil
	case as == Numbers:
		return Shape{}, fmt.Errorf("has %d dimensions (%s); expected M x D with --as rows",
			len(dims), joinDims(dims))
	}
	s, err := imageShape(dims)
	if as == Pictures && err == nil && s.H == 1 && len(dims) == 2 {
		err = fmt.Errorf("has rows of %d numbers, which is no square; expected M x H x W or "+
			"M x H x W x C with --as pictures", dims[1])
	}
	return s, err
}

func isChannels(c int) bool { return c == 1 || c == 3 }

// channelRemedy says how to correct an array M x H x W x C with a wrong C; "" if it does not know.
func channelRemedy(dims []int) string {
	switch {
	case isChannels(dims[1]):
		return fmt.Sprintf("; these seem to be M x C x H x W, channels first: save "+
			"x.transpose(0, 2, 3, 1), %s",
			joinDims([]int{dims[0], dims[2], dims[3], dims[1]}))
	case dims[0] == 3 && dims[3] > 4:
		return fmt.Sprintf("; these may be C x H x W x M: save x.transpose(3, 1, 2, 0), %s",
			joinDims([]int{dims[3], dims[1], dims[2], dims[0]}))
	case dims[2] == 3 && dims[3] > 4:
		return fmt.Sprintf("; these seem to be H x W x C x M, as MATLAB keeps pictures: save "+
			"x.transpose(3, 0, 1, 2), %s",
			joinDims([]int{dims[3], dims[0], dims[1], dims[2]}))
	case dims[3] == 4:
		return "; if the fourth is alpha, save x[..., :3]"
	case dims[3] == 2:
		return "; if the second is alpha, save x[..., :1]"
	}
	return ""
}

// smallestSide is the smallest side of pictures that doubt suspects. Below it, a table with that
// number of columns is as likely.
const smallestSide = 8

// doubt describes what else an array may have been meant to be; "" if its shape leaves no doubt.
func doubt(dims []int, as Kind) string {
	if as == Signals {
		return doubtSignals(dims)
	}
	switch len(dims) {
	case 2:
		return doubtRows(dims[0], dims[1])
	case 3:
		return doubtPictures(dims)
	}
	return ""
}

// doubtSignals is doubt for signals M x T x C: of more channels than samples.
func doubtSignals(dims []int) string {
	if len(dims) != 3 || dims[2] <= dims[1] {
		return ""
	}
	return fmt.Sprintf("is read as signals of %d samples of %d channels; if the channels come "+
		"first, save x.transpose(0, 2, 1)", dims[1], dims[2])
}

// doubtRows is doubt for m rows of d numbers.
func doubtRows(m, d int) string {
	if m == d && d >= smallestSide {
		return fmt.Sprintf("is read as %d rows of %d numbers; if it is one picture of %d x %d, "+
			"it is not a data set: save several, numpy.stack(pictures)",
			m, d, m, d)
	}
	side := int(math.Round(math.Sqrt(float64(d) / 3)))
	if 3*side*side != d || side < smallestSide {
		return ""
	}
	return fmt.Sprintf("is read as %d rows of %d numbers that are not pictures, 1 x %d; if they "+
		"are RGB pictures of %d x %d, save x.reshape(-1, %d, %d, 3) if the three values of a "+
		"pixel are adjacent, or x.reshape(-1, 3, %d, %d).transpose(0, 2, 3, 1) if the channels "+
		"follow one another, as in CIFAR", m, d, d, side, side, side, side, side, side)
}

// doubtPictures is doubt for an array M x H x W.
func doubtPictures(dims []int) string {
	m, h, w := dims[0], dims[1], dims[2]
	switch {
	case (w == 3 || w == 4) && m >= smallestSide && h >= smallestSide:
		return fmt.Sprintf("is read as %d gray images of %d x %d; if it is one picture of %s, "+
			"it is not a data set: save several, numpy.stack(pictures)",
			m, h, w, joinDims(dims))
	case w <= 2 && h >= smallestSide:
		return fmt.Sprintf("is read as %d gray images of %d x %d; if they are signals of %d "+
			"samples of %d channels, say --as signals", m, h, w, h, w)
	case m == 3 && h >= smallestSide && w >= smallestSide:
		return fmt.Sprintf("is read as 3 gray images of %d x %d; if it is one RGB picture, "+
			"channels first, it is not a data set: save several, "+
			"numpy.stack(pictures).transpose(0, 2, 3, 1)", h, w)
	}
	return ""
}
