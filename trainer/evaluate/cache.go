package evaluate

import (
	"fmt"
	"sync"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/classify"
	"github.com/plume-ml/plume/trainer/data"
)

// cache keeps the classifiers that this process has trained, by their data, so that all runs on the
// same data are evaluated with the same classifier.
type cache struct {
	sync.Mutex
	kept map[string]*classify.Classifier
}

var classifiers = cache{kept: map[string]*classify.Classifier{}}

// labelKey identifies the images together with their labels, which the fingerprint leaves out, and
// the backend of matrix products.
func labelKey(fingerprint string, ds data.Dataset) string {
	key := append([]byte(fingerprint), blas.Info().Backend...)
	for i := range ds.Len() {
		key = append(key, byte(ds.Label(i)), byte(ds.Label(i)>>8))
	}
	return string(key)
}

// get returns the classifier of the evaluation's data.
func (c *cache) get(e *evaluation) (*classify.Classifier, error) {
	c.Lock()
	defer c.Unlock()
	key := labelKey(e.fingerprint, e.all)
	if found := c.kept[key]; found != nil {
		return found, nil
	}
	const what = "training the classifier behind the FFD"
	e.doing.Do(func() { e.Progress(what) })
	o := classify.Default()
	trained, err := classify.Train(e.ctx, e.all, o, e.pool, func(epoch int) {
		e.doing.Set(fmt.Sprintf("%s, pass %d of %d", what, epoch, o.Epochs))
	})
	if err == nil {
		c.kept[key] = trained
	}
	return trained, err
}
