package generate

// Images is the images of latents. They are decoded whenever they are asked for, so that all of
// them need never be in memory at once. It serves one caller at a time.
type Images struct {
	g    *Generator
	z    []float32
	rows []float32 // the latents asked for last
}

// Images makes the images of the rows of z, which must stay as they are.
func (g *Generator) Images(z []float32) *Images { return &Images{g: g, z: z} }

// Len is the number of images.
func (m *Images) Len() int { return len(m.z) / m.g.Latent() }

// Gather writes image idx[i], not clamped, into dst[i*D:(i+1)*D]. It panics unless
// len(dst) = len(idx)*D.
func (m *Images) Gather(dst []float32, idx []int) {
	if len(dst) != len(idx)*m.g.Dim() {
		panic("generate: Images.Gather needs len(dst) = len(idx) * D")
	}
	d := m.g.Latent()
	m.rows = m.rows[:0]
	for _, i := range idx {
		m.rows = append(m.rows, m.z[i*d:(i+1)*d]...)
	}
	m.g.Decode(dst, m.rows)
}
