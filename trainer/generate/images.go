package generate

// Images is the images of latents. They are decoded whenever they are read, so that they need not
// all be in memory at once. It must not be used concurrently.
type Images struct {
	g             *Generator
	z, conditions []float32
	rows, of      []float32 // scratch: the latents of the images to gather, and their conditions
}

// Images returns the images of the rows of z with conditions as in Decode. Both must not change.
func (g *Generator) Images(z, conditions []float32) *Images {
	g.checkCondition(conditions, len(z)/g.Latent())
	return &Images{g: g, z: z, conditions: conditions}
}

// Len is the number of images.
func (m *Images) Len() int { return len(m.z) / m.g.Latent() }

// Gather writes image idx[i], not clamped, into dst[i*D:(i+1)*D]. It panics unless
// len(dst) = len(idx)*D.
func (m *Images) Gather(dst []float32, idx []int) {
	if len(dst) != len(idx)*m.g.Dim() {
		panic("generate: Images.Gather needs len(dst) = len(idx) * D")
	}
	d := m.g.Latent()
	m.rows, m.of = m.rows[:0], m.of[:0]
	for _, i := range idx {
		m.rows = append(m.rows, m.z[i*d:(i+1)*d]...)
		m.of = append(m.of, m.g.rows(m.conditions, i, i+1)...)
	}
	if m.conditions == nil {
		m.g.Decode(dst, m.rows, nil)
		return
	}
	m.g.Decode(dst, m.rows, m.of)
}
