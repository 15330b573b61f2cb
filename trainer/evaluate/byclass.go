package evaluate

import (
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/record"
)

// ClassReport is how the samples of one class compare with the training images of that class.
// Unknown numbers are NaN.
type ClassReport struct {
	Class    string        `json:"class"`
	Samples  int           `json:"samples"`
	Accuracy record.Number `json:"accuracy"` // share that the classifier takes for this class

	// Fréchet distances, and those of real images of the class: NaN for a set of no more images
	// than features.
	PCA64FD      record.Number `json:"pca64_fd"`
	PCA64FDFloor record.Number `json:"pca64_fd_floor"`
	FFD          record.Number `json:"ffd"`
	FFDFloor     record.Number `json:"ffd_floor"`
}

// byClass measures whether the samples of each class look like it.
func (e *evaluation) byClass() error {
	if e.own.Classes.Len() == 0 {
		if len(e.Which) < len(Groups()) { // it was asked for
			e.note("no metrics by class: the run was trained without conditions (condition = %v)",
				e.config.Condition)
		}
		return nil
	}
	c, err := e.classifier()
	if err != nil {
		return e.ctx.Err() // any other error is in a note of the report
	}
	e.doing.Set("classes of the samples")
	seen, err := c.Classify(e.ctx, e.images(), e.pool) // numbered as e.own.Classes
	if err != nil {
		return err
	}
	asked := e.askedClasses()
	all := tally{}
	byClass := make([]tally, e.own.Classes.Len())
	for i, k := range asked {
		if k >= 0 {
			all.add(seen[i] == int(k))
			byClass[k].add(seen[i] == int(k))
		}
	}
	if all.n == 0 {
		e.note("no accuracy of the classes: no sample has one")
		return nil
	}
	share, err := metric.ShareInterval(all.hits, all.n, 0.95)
	if err != nil {
		return err
	}
	e.add(Metric{
		Name: "class accuracy", Key: "class_accuracy", Group: ByClass, Better: Higher,
		Note: "share of the samples that the classifier takes for the class they were drawn for; " +
			"floor: its accuracy on real images",
	}.measured(share, c.Accuracy))
	return e.classDistances(byClass)
}

// tally counts hits among n.
type tally struct{ hits, n int }

func (t *tally) add(hit bool) {
	t.n++
	if hit {
		t.hits++
	}
}

// askedClasses returns the class that each sample was drawn for; -1: none.
func (e *evaluation) askedClasses() []int32 {
	k := e.generator.Conditions()
	asked := make([]int32, e.Samples)
	for i := range asked {
		asked[i] = -1
		for j, v := range e.asked[i*k : (i+1)*k] {
			if v == 1 {
				asked[i] = int32(j)
			}
		}
	}
	return asked
}

// classDistances reports the classes, with the distances within each.
func (e *evaluation) classDistances(byClass []tally) error {
	inPCA, err := e.pcaSets()
	if err != nil {
		return err
	}
	inClassifier, err := e.classifierSets()
	if err != nil {
		return err
	}
	for k, counted := range byClass {
		e.doing.Set(fmt.Sprintf("distances of class %s", e.own.Classes.Names[k]))
		r := ClassReport{
			Class: e.own.Classes.Names[k], Samples: counted.n,
			Accuracy: record.Number(float64(counted.hits) / float64(counted.n)),
		}
		if r.PCA64FD, r.PCA64FDFloor, err = e.classDistance(inPCA, int32(k)); err != nil {
			return err
		}
		if r.FFD, r.FFDFloor, err = e.classDistance(inClassifier, int32(k)); err != nil {
			return err
		}
		e.report.Classes = append(e.report.Classes, r)
	}
	return nil
}

// classDistance returns the Fréchet distance of the samples of a class to its training images, and
// its floor.
func (e *evaluation) classDistance(s *sets, class int32) (value, floor record.Number, err error) {
	value, floor = record.Number(math.NaN()), record.Number(math.NaN())
	if s == nil {
		return value, floor, nil
	}
	part := func(f *metric.Features, of []int32) *metric.Features {
		var idx []int
		for i, k := range of {
			if k == class {
				idx = append(idx, i)
			}
		}
		return f.Take(idx)
	}
	reference := part(s.reference, s.classes.reference)
	between := func(samples *metric.Features) (record.Number, error) {
		if min(samples.N, reference.N) <= samples.K {
			return record.Number(math.NaN()), nil
		}
		v, err := metric.Frechet(e.ctx, samples, reference)
		if errors.Is(err, metric.ErrUnfit) {
			return record.Number(math.NaN()), nil
		}
		return record.Number(v), err
	}
	if value, err = between(part(s.samples, s.classes.samples)); err != nil || s.real == nil {
		return value, floor, err
	}
	floor, err = between(part(s.real, s.classes.real))
	return value, floor, err
}
