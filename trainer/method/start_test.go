package method

import (
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/pool"
)

// startedCloud is the cloud of an ipld on colour pictures before its first step.
func startedCloud(t *testing.T, o config.Options) *flow {
	t.Helper()
	return startedOn(t, o, newColours(40))
}

func startedOn(t *testing.T, o config.Options, train data.Dataset) *flow {
	t.Helper()
	p := pool.New(2)
	t.Cleanup(p.Close)
	m, err := New("ipld", Setup{
		Options: o, Train: train, Batch: 5, Tile: 64, Seed: testSeed, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.(*flow)
}

// Particles start at the coordinates of their picture's patches in the leading principal components
// of all patches, here by gonum's decomposition in float64, whitened, and a tenth of the cloud at
// N(0, I) beside them. Coordinates in float32 are exact to some 1e-6, times the whitening.
func TestStartAtComponents(t *testing.T) {
	o := convOptions(t, "ipld") // latents of 4 x 4 x 2: patches of 2 x 2 x 3
	o.Particles = 3
	o.CloudInit = config.FromNormal
	normal := startedCloud(t, o)
	o.CloudInit = config.FromComponents
	got := startedCloud(t, o)

	white := whitePatches(t, newColours(40), 2)
	for row := range got.cloud.M * got.cloud.N {
		for k := range 16 {
			for j := range 2 {
				at := row*32 + k*2 + j
				w := white.At(row/3*16+k, j)
				want := math.Sqrt(0.99)*w + 0.1*float64(normal.cloud.Z[at])
				if d := math.Abs(float64(got.cloud.Z[at]) - want); !(d < 1e-4) {
					t.Fatalf("particle %d, pixel %d, channel %d: %v, expected %v",
						row, k, j, got.cloud.Z[at], want)
				}
			}
		}
	}
	if ms := got.meanSquare[0]; math.Abs(ms-1) > 0.03 { // 3 standard errors of 0.01 chi-squares
		t.Errorf("the cloud's mean square is %v", ms)
	}
}

// Rows of the training that are placed anew, also by components that were stored, start where they
// started in training, given the same noise; of the values that are missing, at the mean.
func TestComponentsPlace(t *testing.T) {
	o := convOptions(t, "ipld")
	o.Particles = 3
	o.CloudInit = config.FromNormal
	normal := slices.Clone(startedCloud(t, o).cloud.Z)
	o.CloudInit = config.FromComponents
	var components *Components
	p := pool.New(2)
	defer p.Close()
	colours := newColours(40)
	m, err := New("ipld", Setup{
		Options: o, Train: colours, Batch: 5, Tile: 64, Seed: testSeed, Pool: p,
		Placed: func(c *Components) { components = c },
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "start")
	about := map[string]string{"plume": "test"}
	if err := checkpoint.WriteFile(file.OS, path, about, components.Tensors()); err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stored, err := ReadComponents(f, o, colours.Shape())
	if err != nil {
		t.Fatal(err)
	}
	place := func(c *Components, rows data.Rows, missing *data.Missing) []float32 {
		const lo, hi = 7, 31
		z := slices.Clone(normal[lo*3*32 : hi*3*32])
		if err := c.Place(t.Context(), z, rows, missing, data.Range(lo, hi), p); err != nil {
			t.Fatal(err)
		}
		return z
	}
	want := m.(*flow).cloud.Z[7*3*32 : 31*3*32]
	for name, c := range map[string]*Components{"as made": components, "as stored": stored} {
		if !slices.Equal(place(c, colours, nil), want) {
			t.Errorf("%s: not where training started", name)
		}
	}

	// By hand: the mean of all patches, of 2 x 2 x 3 values, in place of what is missing.
	mean, dim := [12]float64{}, colours.Shape().Dim()
	patch := func(i int) int { return i%dim/3/8%2*6 + i/3%2*3 + i%3 } // of a value
	for i, v := range colours.x {
		mean[patch(i)] += float64(v) / float64(len(colours.x)/12)
	}
	missing := &data.Missing{D: dim, At: make([]bool, len(colours.x))}
	filled, holed := newColours(40), newColours(40)
	for i := range missing.At {
		if missing.At[i] = i*7%10 < 3; missing.At[i] {
			filled.x[i], holed.x[i] = float32(mean[patch(i)]), 9
		}
	}
	got := place(stored, holed, missing)
	for i, want := range place(stored, filled, nil) {
		if math.Abs(float64(got[i]-want)) > 1e-4 { // the mean's rounding, times the whitening
			t.Fatalf("number %d of rows with holes starts at %v, expected %v", i, got[i], want)
		}
	}
	if slices.Equal(got, want) {
		t.Error("what is missing plays a part")
	}
}

// The memory of the start is the larger of its needs: those of the fit, and then of the coordinates
// of the fitted patches. Besides, it allocates the coordinates of the placed ones and, for each
// block of patches that is read, a picture: five times as much in all, but not at once.
func TestStartBytes(t *testing.T) {
	o := convOptions(t, "ipld")
	const pictures = 500
	made := func(start config.Start) int64 {
		o.CloudInit = start
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		startedOn(t, o, newColours(pictures))
		runtime.ReadMemStats(&after)
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
	got := made(config.FromComponents) - made(config.FromNormal)
	want := startBytes(o, pictures, colours{}.Shape())
	if want != 0 {
		t.Errorf("a start at normals takes %d bytes", want)
	}
	o.CloudInit = config.FromComponents
	want = startBytes(o, pictures, colours{}.Shape())
	if got < want || got > 8*want {
		t.Errorf("the start allocates %d bytes, counted %d", got, want)
	}
	f, err := Memory("ipld", o, Scale{
		Datapoints: pictures, Batch: 5, Tile: 64, Picture: colours{}.Shape(), Workers: 2,
	})
	if err != nil || f.Start != want {
		t.Errorf("the footprint counts %d, %v", f.Start, err)
	}
}

// Of grey pictures stored in colour, with a latent pixel for each pixel, one component has
// variance; what rounding leaves of the second does not move its channel from N(0, I).
func TestStartBeyondRank(t *testing.T) {
	grey := newColours(40)
	for i := range grey.x {
		grey.x[i] = grey.x[i/3*3]
	}
	o := convOptions(t, "ipld")
	o.LatentShape, o.DecoderChannels, o.Latent = []int{8, 8, 2}, []int{8}, 128
	o.CloudInit = config.FromNormal
	normal := startedOn(t, o, grey).cloud.Z
	o.CloudInit = config.FromComponents
	for i, got := range startedOn(t, o, grey).cloud.Z {
		if moved := got != normal[i]; moved != (i%2 == 0) || math.Abs(float64(got)) > 10 {
			t.Fatalf("channel %d of a pixel starts at %v, from %v", i%2, got, normal[i])
		}
	}
}

// The images that components are fitted to reach from the first to the last class of sorted ones.
func TestEvenly(t *testing.T) {
	if got := evenly(10, 4); !slices.Equal(got, []int{0, 2, 5, 7}) {
		t.Errorf("4 of 10: %v", got)
	}
	if got := evenly(3, 4); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("4 of 3: %v", got)
	}
}

// whitePatches is the patches of 2 x 2 pixels of pictures of 8 x 8 x 3 in their k leading principal
// components, whose largest entries are positive, each of variance 1.
func whitePatches(t *testing.T, c colours, k int) *mat.Dense {
	t.Helper()
	n := c.Len() * 16
	x := mat.NewDense(n, 12, nil)
	for i := range n {
		for j := range 12 {
			h, w := i%16/4*2+j/6, i%4*2+j%6/3
			x.Set(i, j, float64(c.x[i/16*192+(h*8+w)*3+j%3]))
		}
	}
	for j := range 12 {
		column := mat.Col(nil, j, x)
		mean := stat.Mean(column, nil)
		for i := range n {
			x.Set(i, j, x.At(i, j)-mean)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(x, mat.SVDThin) {
		t.Fatal("no decomposition")
	}
	var v mat.Dense
	svd.VTo(&v)
	white := mat.NewDense(n, k, nil)
	white.Mul(x, v.Slice(0, 12, 0, k))
	for j := range k {
		sign := 1.0
		if component := v.ColView(j); -mat.Min(component) > mat.Max(component) {
			sign = -1
		}
		column := mat.Col(nil, j, white)
		scale := sign * math.Sqrt(float64(n)) / mat.Norm(mat.NewVecDense(n, column), 2)
		for i := range n {
			white.Set(i, j, scale*column[i])
		}
	}
	return white
}
