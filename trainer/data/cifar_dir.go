package data

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cifar returns the CIFAR batches in a directory.
func (l listing) cifar(ctx context.Context) (batches []cifarBatch, err error) {
	for _, e := range l.entries {
		if !cifar10Name.MatchString(e.Name()) && !cifar100Name.MatchString(e.Name()) {
			continue
		}
		path := filepath.Join(l.dir, e.Name())
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		b, ok, err := asCIFAR(ctx, path, info.Size())
		if err != nil {
			return nil, err
		}
		if ok {
			batches = append(batches, b)
		}
	}
	return batches, nil
}

// findCIFAR describes the training batches in a directory. It returns nil if there are no batches.
func (l listing) findCIFAR(ctx context.Context, opt Options) (*Found, error) {
	dir := l.dir
	batches, err := l.cifar(ctx)
	if err != nil {
		return nil, err
	}
	if len(batches) == 0 {
		return nil, refusePickles(dir)
	}
	if err := opt.refuse(dir, "a directory of CIFAR's batches"); err != nil {
		return nil, err
	}
	for _, b := range batches[1:] {
		if len(b.classes) != len(batches[0].classes) {
			return nil, fmt.Errorf("data: %s: holds batches of CIFAR-10 and of CIFAR-100; give "+
				"the path of one of them", dir)
		}
	}
	train, test := trainingBatches(batches)
	f := foundCIFAR(train)
	b := train[0]
	f.Summary.Format = counted(len(train), "binary batches") + " of " + b.name() + b.labelNote()
	for _, t := range test {
		f.Summary.skip("test batches", filepath.Base(t.path))
	}
	if n := len(train); len(b.classes) == 1 && len(test) > 0 && n < 5 {
		opt.warn("data: %s: holds %d of the 5 training batches of CIFAR-10", dir, n)
	}
	return f, nil
}

// trainingBatches divides batches into training batches, sorted by number, and test batches. If
// there are only test batches, these are used for training.
func trainingBatches(batches []cifarBatch) (train, test []cifarBatch) {
	for _, b := range batches {
		if strings.HasPrefix(filepath.Base(b.path), "test") {
			test = append(test, b)
		} else {
			train = append(train, b)
		}
	}
	if len(train) == 0 {
		return test, nil
	}
	slices.SortFunc(train, func(a, b cifarBatch) int { // data_batch_10 comes after data_batch_9
		return cmp.Or(cmp.Compare(len(a.path), len(b.path)), cmp.Compare(a.path, b.path))
	})
	return train, test
}

// refusePickles returns an error if the directory holds the Python version of CIFAR.
func refusePickles(dir string) error {
	for _, name := range []string{"data_batch_1", "test_batch", "train", "test"} {
		if path := filepath.Join(dir, name); isPickleFile(path) {
			return fmt.Errorf("data: %s: is a Python pickle%s", path, pickleRemedy)
		}
	}
	return nil
}

func isPickleFile(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	head, err := headOf(path)
	return err == nil && isPickle(head)
}
