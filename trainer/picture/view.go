package picture

import (
	"image"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
)

// View draws rows of data as what they are: signals as curves, one panel for each with its channels
// in their colours, and all else as pictures. Arrays of rows are n x H x W x C.
type View struct {
	Kind  data.Kind
	Shape data.Shape
	Rate  float64     // samples of signals a second; 0: unknown
	Ends  *[2]float64 // what -1 and 1 stand for in signals; nil: themselves
}

// Grid draws rows, cols to a line. Its errors are those of the function Grid.
func (v View) Grid(rows []float32, cols int) (image.Image, error) {
	s, err := v.NewSheet(len(rows)/v.Shape.Dim(), cols)
	if err != nil {
		return nil, err
	}
	s.Add(rows)
	return s.Image(), nil
}

// NewSheet is the function NewSheet for rows of v. The rows of signals are kept until they are
// drawn.
func (v View) NewSheet(n, cols int) (*Sheet, error) {
	if v.Kind != data.Signals {
		return NewSheet(v.Shape, n, cols)
	}
	if _, err := v.layout(n, cols, ""); err != nil {
		return nil, err
	}
	return &Sheet{shape: v.Shape, n: n, cols: cols, view: &v}, nil
}

// Place returns where Grid draws row i of n, cols to a line.
func (v View) Place(i, n, cols int) image.Rectangle {
	if v.Kind == data.Signals {
		b, err := v.layout(n, cols, "")
		if err != nil {
			return image.Rectangle{} // nothing is drawn
		}
		return b.place(i)
	}
	return tilePlace(v.Shape, i, cols)
}

// WriteGrid stores the picture of Grid as a PNG file, as Write does.
func (v View) WriteGrid(path string, rows []float32, cols int) error {
	drawn, err := v.Grid(rows, cols)
	return write(path, drawn, err)
}

// Pairs draws rows and what belongs to each, cols to a line: pictures above each other, signals in
// one panel, those of rows broad and pale. names says what the two are, for a line above signals.
func (v View) Pairs(names [2]string, rows, others []float32, cols int) (image.Image, error) {
	if v.Kind != data.Signals {
		return Pairs(rows, others, v.Shape, cols)
	}
	upper, lower := tiles(rows, v.Shape), tiles(others, v.Shape)
	if len(upper) != len(lower) {
		panic(panicPairs)
	}
	var panels []panel
	for i, x := range upper {
		panels = append(panels, panel{lines: []curve{{x: x, look: pale}, {x: lower[i]}}})
	}
	w := v.words()
	return v.draw(panels, cols, w[pale]+": "+names[0]+"; "+w[fine]+": "+names[1])
}

// WritePairs stores the picture of Pairs as a PNG file, as Write does.
func (v View) WritePairs(
	path string, names [2]string, rows, others []float32, cols int,
) error {
	drawn, err := v.Pairs(names, rows, others, cols)
	return write(path, drawn, err)
}

// Imputed is a row of which something was missing, and how it was filled in.
type Imputed struct {
	Row         []float32 // as it was
	Missing     []bool
	Mean        []float32
	Completions [][]float32
}

// Imputations draws rows that were filled in: each picture in a line of its own, with what is known
// of it, the mean and the completions beside it; each signal in a panel, cols to a line, where what
// was missing is shaded, the completions are thin, and the row as it was is pale.
func (v View) Imputations(all []Imputed, cols int) (image.Image, error) {
	if v.Kind != data.Signals {
		return v.imputedPictures(all)
	}
	var panels []panel
	for _, m := range all {
		p := panel{lines: []curve{{x: m.Row, look: pale}}, gaps: v.gaps(m.Missing)}
		for _, x := range m.Completions {
			p.lines = append(p.lines, curve{x: x, look: thin, only: m.Missing})
		}
		p.lines = append(p.lines, curve{x: m.Mean, look: fine})
		panels = append(panels, p)
	}
	w := v.words()
	return v.draw(panels, cols, "shaded: missing; "+w[pale]+": the row as it was; "+w[thin]+
		": completions; "+w[fine]+": their mean")
}

// words are what curves are called by their looks: of one channel by their colours.
func (v View) words() map[look]string {
	if v.Shape.C == 1 {
		return map[look]string{fine: "blue", thin: "red", pale: "grey"}
	}
	return map[look]string{fine: "dark", thin: "thin", pale: "pale"}
}

// imputedPictures has a line for each row.
func (v View) imputedPictures(all []Imputed) (image.Image, error) {
	var pixels []float32
	cols := 1
	for _, m := range all {
		pixels = append(append(pixels, m.Row...), m.Row...)
		known := pixels[len(pixels)-len(m.Row):]
		for j, missing := range m.Missing {
			if missing {
				known[j] = 0 // gray
			}
		}
		pixels = append(pixels, m.Mean...)
		for _, x := range m.Completions {
			pixels = append(pixels, x...)
		}
		cols = 3 + len(m.Completions)
	}
	return Grid(pixels, v.Shape, cols)
}

// GridBytes is the memory, in bytes, that Grid needs for n rows, cols to a line.
func (v View) GridBytes(n, cols int) int64 {
	if v.Kind != data.Signals {
		return GridBytes(v.Shape, n, cols)
	}
	return v.boardBytes(n, cols)
}

// PairsBytes is the memory, in bytes, that Pairs needs for n rows, cols to a line.
func (v View) PairsBytes(n, cols int) int64 {
	if v.Kind != data.Signals {
		return PairsBytes(v.Shape, n, cols)
	}
	return v.boardBytes(n, cols)
}

func (v View) boardBytes(n, cols int) int64 {
	b, err := v.layout(n, cols, "")
	if err != nil {
		return 0 // nothing is drawn
	}
	const canvas = 4 // bytes a pixel
	return memory.Array[uint8](b.width, b.height, canvas) + pngBytes
}
