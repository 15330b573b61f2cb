package method

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// A mixture of Gaussians in which the class decides the mean, z given class c ~ N(m_c, I), trained
// by the code that trains everything else. Decoder and encoder are the identity, so that the
// latents are the data. The residual score of N(m, I) is r = -alpha sigma m: a network that learns
// m as a linear function of the condition, W c + b, is exact. Where the condition is left out it is
// that of N(b, I). So the loss of rows with class c is least where W_c + b is the mean of the
// class, and that of rows without a condition where b is the mean of all.
const classDim, classCount, classPoints = 6, 3, 60

// towards is the layer y = -alpha sigma m of the inputs z, m and lambda.
type towards struct{}

func (towards) Out(in ...layer.Shape) (layer.Shape, error)   { return in[0], nil }
func (towards) Params(...layer.Shape) []layer.Param          { return nil }
func (towards) Memory(...layer.Shape) layer.Memory           { return layer.Memory{ReadsX: true} }
func (towards) Bind(layer.Values, ...layer.Shape) layer.Pair { return towards{} }

func (towards) factor(t *layer.Tile, i int) float32 {
	l := float64(t.X[2][i/classDim])
	return float32(-diffusion.Alpha(l) * diffusion.Sigma(l))
}

func (f towards) Forward(t *layer.Tile) {
	for i := range t.Y {
		t.Y[i] = f.factor(t, i) * t.X[1][i]
	}
}

func (f towards) Backward(t *layer.Tile) {
	clear(t.DX[0])
	for i, dy := range t.DY {
		t.DX[1][i] = f.factor(t, i) * dy
	}
}

// certain is the encoder's layer whose mean is its input and whose log-variance is -20.
type certain struct{}

func (certain) Out(in ...layer.Shape) (layer.Shape, error) {
	return layer.Vector(2 * in[0].Len()), nil
}

func (certain) Params(...layer.Shape) []layer.Param          { return nil }
func (certain) Memory(...layer.Shape) layer.Memory           { return layer.Memory{} }
func (certain) Bind(layer.Values, ...layer.Shape) layer.Pair { return certain{} }
func (certain) Backward(*layer.Tile)                         {}

func (certain) Forward(t *layer.Tile) {
	for i := range t.N {
		y := t.Y[2*classDim*i:][:2*classDim]
		copy(y, t.X[0][classDim*i:][:classDim])
		for j := range classDim {
			y[classDim+j] = -20
		}
	}
}

// classSetup is the model and its data. Class c has about half as many datapoints as class c+1.
func classSetup(t *testing.T, o config.Options) (s Setup, means [classCount + 1][classDim]float64) {
	t.Helper()
	net := func(f func(b *model.Builder) model.Node) *model.Net {
		return model.Must(model.Build(nil, f))
	}
	p := pool.New(2)
	t.Cleanup(p.Close)
	x := table{D: classDim, X: reference.Normals(classPoints*classDim, 4, 1)}
	var counts [classCount + 1]float64
	for i := range classPoints {
		c := min(2, int(math.Log2(float64(i*7/classPoints+1))))
		x.Labels = append(x.Labels, int32(c))
		for j := range classDim {
			v := &x.X[i*classDim+j]
			*v += float32(2 * math.Cos(float64(3*c+j)))
			for _, k := range []int{c, classCount} {
				means[k][j] += float64(*v)
			}
		}
		counts[c]++
		counts[classCount]++
	}
	for k := range means {
		for j := range means[k] {
			means[k][j] /= counts[k]
		}
	}
	score := net(func(b *model.Builder) model.Node {
		z := b.Input("z", layer.Vector(classDim))
		lambda := b.Given(model.Lambda, layer.Vector(1))
		m := b.Zero("mean", b.Given(model.Condition, layer.Vector(classCount)), classDim)
		return b.Add("towards", towards{}, z, m, lambda)
	})
	return Setup{
		Options: o, Train: x, Batch: classPoints, Tile: 16, Seed: 5, Steps: 1200, Pool: p,
		Decoder: net(func(b *model.Builder) model.Node {
			return b.Add("identity", identity{}, b.Input("z", layer.Vector(classDim)))
		}),
		Encoder: net(func(b *model.Builder) model.Node {
			return b.Add("certain", certain{}, b.Input("x", layer.Vector(classDim)))
		}),
		Prior: &prior.Diffusion{Bound: prior.NewBound(o), Score: score},
	}, means
}

// The conditional prior recovers the means of the classes, and samples follow the class and the
// guidance as the formula says.
func TestClassesDecideTheMean(t *testing.T) {
	o := smallEncoder()
	o.Latent, o.LambdaMin, o.LambdaMax, o.EMA, o.LR, o.ScoreLR = classDim, -10, 10, 0.99, 0.02, 1
	o.Condition, o.Classes, o.ConditionDrop = config.OfPrior, classCount, 0.25
	s, means := classSetup(t, o)
	m, err := New("vae+diffusion", s)
	if err != nil {
		t.Fatal(err)
	}
	for k := range s.Steps {
		takeStep(t, m, Minibatch{Index: data.Range(0, classPoints), Number: uint32(k)})
	}
	g := m.Generator(true)
	weight, bias := learnt(s.Prior, g.Model().PriorP)
	// A row's estimate of m has the variance 6.7: e = alpha sigma (z - m) - alpha^2 eps has, over
	// lambda, the mean slope E alpha^2 sigma^2 = 1/20 and the noise E alpha^6 sigma^2 = 1/60. The
	// average is over 199 steps, in which the rarest case, class 0 with its condition, has 7 rows.
	tolerance := 4 * math.Sqrt(6.7/(199*7))
	for c := range classCount + 1 {
		for j := range classDim {
			got := float64(bias[j])
			if c < classCount {
				got += float64(weight[c*classDim+j])
			}
			if math.Abs(got-means[c][j]) > tolerance {
				t.Errorf("class %d: mean %d is %.3f, expected %.3f +- %.3f", c, j, got, means[c][j],
					tolerance)
			}
		}
	}
	for _, w := range []float64{0, 1, 2.5} {
		checkGuided(t, g, w, weight, bias)
	}
}

func learnt(p prior.Prior, params []float32) (weight, bias []float32) {
	return p.Layout().View(params, "mean.weight"), p.Layout().View(params, "mean.bias")
}

// checkGuided compares the means of samples of each class with b + (1 + w) W_c: with guidance, eps
// is that of N(b + (1 + w) W_c, I).
func checkGuided(t *testing.T, g *generate.Generator, w float64, weight, bias []float32) {
	t.Helper()
	const n = 2000
	z, conditions := make([]float32, n*classDim), make([]float32, n*classCount)
	for c := range classCount {
		clear(conditions)
		for i := range n {
			conditions[i*classCount+c] = 1
		}
		err := g.SampleLatents(t.Context(), z, n, generate.Spec{
			Solver: diffusion.DDIM, Steps: 100, Seed: uint64(c), Condition: conditions, Guidance: w,
		})
		if err != nil {
			t.Fatal(err)
		}
		for j := range classDim {
			sum := 0.0
			for i := range n {
				sum += float64(z[i*classDim+j])
			}
			want := float64(bias[j]) + (1+w)*float64(weight[c*classDim+j])
			// Samples start without the mean's share alpha(-10) = 0.7 %; 100 steps leave 1 %.
			if got := sum / n; math.Abs(got-want) > 4/math.Sqrt(n)+0.02*math.Abs(want) {
				t.Errorf("guidance %v, class %d: mean %d of the samples %.3f, expected %.3f", w, c,
					j, got, want)
			}
		}
	}
}
