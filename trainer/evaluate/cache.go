package evaluate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/plume-ml/plume/trainer/classify"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/run"
)

// cache keeps the classifiers that this process has used, so that all runs on the same data are
// evaluated with the same classifier.
type cache struct {
	sync.Mutex
	kept map[classify.Key]*classify.Classifier
}

var classifiers = cache{kept: map[classify.Key]*classify.Classifier{}}

// get returns the classifier of the evaluation's data: that of an earlier evaluation, in this
// process or in the directory of a run, or a new one.
func (c *cache) get(e *evaluation) (*classify.Classifier, error) {
	c.Lock()
	defer c.Unlock()
	o := classify.Default(e.own.All.Shape())
	key := classify.KeyOf(e.own.Fingerprint, e.own.All, o)
	if found := c.kept[key]; found != nil {
		return found, nil
	}
	if found := e.storedClassifier(key, o); found != nil {
		c.kept[key] = found
		return found, nil
	}
	trained, err := e.trainClassifier(o)
	if err != nil {
		return nil, err
	}
	c.kept[key] = trained
	path := run.ClassifierPath(e.dir)
	if err := trained.Save(file.OS, path, key); err != nil {
		e.say("the next evaluation will have to train the classifier again: %v", err)
	} else {
		e.say("the classifier is kept in %s, for evaluations of all runs beside this one", path)
	}
	return trained, nil
}

// say reports what was done.
func (e *evaluation) say(format string, args ...any) {
	e.doing.Do(func() { e.Progress(fmt.Sprintf(format, args...)) })
}

func (e *evaluation) trainClassifier(o classify.Options) (*classify.Classifier, error) {
	const what = "training the classifier behind the FFD"
	e.say(what)
	found, err := classify.Train(e.ctx, e.own.All, o, e.pool, func(pass, passes int) {
		e.doing.Set(fmt.Sprintf("%s, pass %d of %d", what, pass, passes))
	})
	return found, cmp.Or(data.Err(e.own.All), err)
}

// storedClassifier returns the classifier that an evaluation of this run, or of one beside it, has
// kept; nil if there is none.
func (e *evaluation) storedClassifier(key classify.Key, o classify.Options) *classify.Classifier {
	for _, dir := range append([]string{e.dir}, run.Beside(e.dir)...) {
		path := run.ClassifierPath(dir)
		found, err := classify.Load(path, key, e.own.All, o)
		switch {
		case err == nil:
			e.say("the classifier behind the FFD is read from %s", path)
			return found
		case !errors.Is(err, classify.ErrOther) && !errors.Is(err, fs.ErrNotExist):
			e.say("a kept classifier is not used: %v", err)
		}
	}
	return nil
}
