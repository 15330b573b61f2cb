package data

// Subset returns a view of images index[0], index[1], ... of ds. It keeps index.
func Subset(ds Dataset, index []int) Dataset { return &subset{ds, index} }

type subset struct {
	Dataset
	index []int
}

func (s *subset) Len() int { return len(s.index) }

func (s *subset) Label(i int) int { return s.Dataset.Label(s.index[i]) }

func (s *subset) Origin(i int) Origin { return s.Dataset.Origin(s.index[i]) }

func (s *subset) Gather(dst []float32, idx []int) {
	d := s.Shape().Dim()
	checkGather(dst, idx, d)
	for i, j := range idx {
		s.Dataset.Gather(dst[i*d:(i+1)*d], s.index[j:j+1])
	}
}
