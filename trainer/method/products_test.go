package method

import (
	"sync"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/pool"
)

// trainedBy returns the state after a short training whose products the backend computes.
func trainedBy(name config.Method, products *blas.Backend) (state, error) {
	o := smallEncoder()
	o.DecoderWidths, o.EncoderWidths, o.ScoreWidth = []int{70, 60}, []int{70}, 60
	o.ScoreDraws = 2
	p := pool.New(2)
	defer p.Close()
	m, err := New(name, Setup{
		Options: o, Train: testData(),
		Batch: 5, Tile: 2, Seed: testSeed, Pool: p, Products: products,
	})
	if err != nil {
		return nil, err
	}
	for k := range stagedSteps {
		if _, err := m.Step(stagedBatch(k)); err != nil {
			return nil, err
		}
	}
	return stateOf(m), m.Close()
}

// Methods with different backends train at the same time, each with the bits that it has alone. The
// default of the process is another than that of one of them.
func TestBackendsTrainAtOnce(t *testing.T) {
	type job struct {
		method  config.Method
		backend string
	}
	alone := map[job]state{}
	backends := map[string]*blas.Backend{}
	before := blas.Default().Name()
	for _, backend := range []string{"native", "gonum"} {
		var err error
		if backends[backend], err = blas.Open(backend); err != nil {
			t.Fatal(err)
		}
		useBLAS(t, backend)
		for _, name := range []config.Method{config.IPLD, config.VAEDiffusion, config.TwoStage} {
			if alone[job{name, backend}], err = trainedBy(name, nil); err != nil {
				t.Fatal(err)
			}
		}
		useBLAS(t, before)
	}
	var running sync.WaitGroup
	for j, want := range alone {
		running.Go(func() {
			got, err := trainedBy(j.method, backends[j.backend])
			if err != nil {
				t.Error(err)
			} else if name := want.diff(got); name != "" {
				t.Errorf("%s by %s: %s has other bits beside other methods",
					j.method, j.backend, name)
			}
		})
	}
	running.Wait()
	for j, native := range alone {
		if j.backend == "native" && native.diff(alone[job{j.method, "gonum"}]) == "" {
			t.Errorf("%s: native and gonum have the same bits: the test would not see a mix-up",
				j.method)
		}
	}
}
