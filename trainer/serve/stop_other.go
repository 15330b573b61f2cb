//go:build !linux

package serve

import "errors"

// trainingProcess finds the process that trains the run in dir.
func trainingProcess(dir string) (*training, error) {
	if _, err := holderHere(dir); err != nil {
		return nil, err
	}
	return nil, errors.New("this system does not tell for sure which process trains it: stop it " +
		"with Ctrl-C where it was started, or serve it by plume train --serve")
}

func (t *training) stop() error { return errors.ErrUnsupported }
