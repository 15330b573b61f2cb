package main

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/guptarohit/asciigraph"
)

const (
	plainWidth = 100 // columns where there is no terminal
	besideAxis = 14  // columns that the labels of the vertical axis may take
	leastWidth = 20  // columns of the curves
)

var (
	curveColours = []asciigraph.AnsiColor{
		asciigraph.Blue, asciigraph.Red, asciigraph.Green, asciigraph.Magenta, asciigraph.Yellow,
		asciigraph.Cyan,
	}
	curveLetters = "abcdefghijklmnopqrstuvwxyz"
)

// draw returns a diagram of one column's curves, none of them empty. Plain, it has no colours.
func (c *curvesCommand) draw(curves []curve, plain bool) (string, error) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, one := range curves {
		lo, hi = min(lo, slices.Min(one.X)), max(hi, slices.Max(one.X))
	}
	if hi == lo {
		hi = lo + 1
	}
	marks, text, err := c.plot(curves, lo, hi, plain)
	if err != nil {
		return "", err
	}
	title := c.title(curves[0].Column)
	for i, name := range names(curves) {
		title += "   " + strings.TrimSpace(marks[i]+" "+name)
	}
	return title + "\n" + text + "\n", nil
}

// plot returns a diagram without its title, over the horizontal axis from lo to hi, and how each
// curve is marked in it.
func (c *curvesCommand) plot(
	curves []curve, lo, hi float64, plain bool,
) (marks []string, text string, err error) {
	width := c.width
	if width == 0 {
		width = plainWidth
	}
	width = max(width-besideAxis, leastWidth)
	var series [][]float64
	for _, one := range curves {
		if c.log {
			if one, err = one.logarithms(); err != nil {
				return nil, "", err
			}
		}
		series = append(series, one.sampled(lo, hi, width))
	}
	options := []asciigraph.Option{
		asciigraph.Height(c.height),
		asciigraph.YAxisValueFormatter(c.label),
		asciigraph.XAxisRange(lo, hi),
		asciigraph.XAxisValueFormatter(c.tick),
	}
	marks, styled := styles(len(curves), plain)
	return marks, asciigraph.PlotMany(series, append(options, styled...)...), nil
}

// styles tell curves apart: by colours, or by letters. marks show each in the title.
func styles(n int, plain bool) (marks []string, options []asciigraph.Option) {
	marks = make([]string, n)
	if n == 1 {
		return marks, nil
	}
	var letters []asciigraph.CharSet
	var colours []asciigraph.AnsiColor
	for i := range n {
		if plain {
			marks[i] = curveLetters[i%len(curveLetters):][:1]
			letters = append(letters, asciigraph.CreateCharSet(marks[i]))
			continue
		}
		colours = append(colours, curveColours[i%len(curveColours)])
		marks[i] = colours[i].String() + "■" + asciigraph.Default.String()
	}
	if plain {
		return marks, []asciigraph.Option{asciigraph.SeriesChars(letters...)}
	}
	return marks, []asciigraph.Option{asciigraph.SeriesColors(colours...)}
}

// logarithms returns the curve of the logarithms of its values, without those that have none.
func (c curve) logarithms() (curve, error) {
	out := c
	out.X, out.Y = nil, nil
	for i, y := range c.Y {
		if y > 0 {
			out.X, out.Y = append(out.X, c.X[i]), append(out.Y, math.Log10(y))
		}
	}
	if len(out.Y) == 0 {
		return out, errors.New("--log: no value is above 0: expected a column of positive numbers")
	}
	return out, nil
}

// label writes a value of the vertical axis.
func (c *curvesCommand) label(v float64) string {
	if c.log {
		v = math.Pow(10, v)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// tick writes a value of the horizontal axis.
func (c *curvesCommand) tick(v float64) string {
	switch {
	case c.by == "time" && v < 60:
		return strconv.FormatFloat(v, 'g', 3, 64) + "s"
	case c.by == "time":
		return time.Duration(v * float64(time.Second)).Round(time.Second).String()
	case v < 1e5:
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	value, prefix := humanize.ComputeSI(v)
	return strconv.FormatFloat(value, 'g', 3, 64) + prefix
}
