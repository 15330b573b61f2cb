package method

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// signals is testPoints random signals of 16 samples and two channels.
type signals struct{ table }

var signalShape = data.Shape{H: 1, W: 16, C: 2}

func newSignals() signals {
	d := signalShape.Dim()
	return signals{table{D: d, X: reference.Normals(testPoints*d, 3, 1), Labels: testLabels}}
}

func (signals) Shape() data.Shape { return signalShape }

// Convolutions of signals train to the same bits with any number of workers, and with the native
// products also in any tiles and waves.
func TestSignalsSameBits(t *testing.T) {
	set := "decoder=conv decoder_channels=8,6,4 unet_channels=8,12 score_width=8 " +
		"latent_shape=1,4,3 cloud_init=pca condition=both classes=3"
	for _, name := range []config.Method{"ipld", "vae+diffusion"} {
		c, given := asked(t, "method="+string(name)+" "+set)
		c, err := Resolve(c, signalShape, func(k string) bool { return slices.Contains(given, k) })
		if err != nil {
			t.Fatal(err)
		}
		eachBLAS(t, func(t *testing.T) {
			cuts := []struct{ workers, tile, wave int }{
				{1, 4, 0}, {2, 4, 0}, {3, 4, 0}, {8, 4, 0}, {3, 1, 0}, {2, 3, 2}, {8, 2, 1},
			}
			if !blas.Default().CutFree() {
				cuts = cuts[:4]
			}
			var want state
			for _, cut := range few(4, cuts...) {
				p := pool.New(cut.workers)
				defer p.Close()
				m, err := New(name, Setup{
					Options: c.Options, Train: newSignals(), Batch: 5, Tile: cut.tile,
					Wave: cut.wave, Seed: testSeed, Pool: p,
				})
				if err != nil {
					t.Fatal(err)
				}
				got := trainInWaves(t, m)
				if want == nil {
					want = got
				}
				if diff := want.diff(got); diff != "" {
					t.Errorf("%s with %+v: %s differs", name, cut, diff)
				}
			}
		})
	}
}

// Signals of 32 samples or more get convolutions in one dimension, if they can be halved.
func TestResolveSignals(t *testing.T) {
	for _, c := range []struct {
		shape     data.Shape
		set, want string // as in TestResolve
	}{
		{data.Shape{H: 1, W: 64, C: 1}, "as=rows", "network=mlp"},
		{
			data.Shape{H: 1, W: 64, C: 1}, "as=signals",
			"network=conv score=unet latent_shape=1,4,4 decoder_channels=64,64,64,64,32 batch=128",
		},
		{data.Shape{H: 1, W: 30, C: 2}, "as=signals", "network=mlp"},
		{data.Shape{H: 1, W: 99, C: 2}, "as=signals", "network=mlp"},
		{
			data.Shape{H: 1, W: 1024, C: 2}, "network=conv",
			"latent_shape=1,64,4 latent=256 decoder_channels=64,64,64,64,32 " +
				"unet_channels=64,128,128",
		},
		{data.Shape{H: 1, W: 32, C: 1}, "network=conv", "latent_shape=1,2,4 unet_channels=64"},
		{
			data.Shape{H: 1, W: 512, C: 1}, "network=conv",
			"latent_shape=1,32,4 unet_channels=64,128",
		},
		{data.Shape{H: 1, W: 50, C: 1}, "network=conv", "latent_shape=1,25,4 unet_channels=64"},
	} {
		wantResolved(t, c.shape, c.set, c.want)
	}
}
