package query

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// guessVersion must change when Amortise makes another network of the same particles.
const guessVersion = 1

// UseAmortised makes StartAmortised begin at what a network guesses that was fitted to the
// particles of the training rows. It is read from the run's directory, if it is there and belongs
// to the newest checkpoint; otherwise it is fitted and kept there, for which the run's data are
// read as how says. It stops early, with ctx's error, when ctx ends.
func (s *Stored) UseAmortised(ctx context.Context, how Read) error {
	if !s.HasParticles() {
		return fmt.Errorf("start = %s: %s has an encoder in the particles' place; expected %s",
			StartAmortised, s.run.Config.Method, StartEncoder)
	}
	path := run.GuessPath(s.run.Dir)
	a, err := s.readGuess(path)
	if err == nil {
		s.Use(a)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errOtherGuess) {
		how.Warn(fmt.Sprintf("%v: it is fitted again", err))
	}
	if a, err = s.fitGuess(ctx, how); err != nil {
		return err
	}
	if err := checkpoint.WriteFile(file.OS, path, s.guessKey(), a.tensors()); err != nil {
		how.Warn(fmt.Sprintf("the start will have to be fitted again the next time: %v", err))
	}
	s.Use(a)
	return nil
}

// fitGuess fits a network to the particles.
func (s *Stored) fitGuess(ctx context.Context, how Read) (*Amortised, error) {
	c, err := s.particles()
	if err != nil {
		return nil, err
	}
	points, err := s.Points(ctx, how)
	if err != nil {
		return nil, err
	}
	if points.Len() != len(c.Rows) {
		return nil, fmt.Errorf("%s has particles of %d rows, and its data are %d", s.run.Dir,
			len(c.Rows), points.Len())
	}
	r, err := s.Rows(points)
	if err != nil {
		return nil, err
	}
	var a *Amortised
	err = how.Report.Run(func(t *progress.Task) error {
		t.Set("fitting a start to the particles")
		a, err = s.Amortise(ctx, r, s.Shape(), c.Z.F32, func(pass, passes int) {
			t.At(fmt.Sprintf("pass %d of %d", pass, passes))
		})
		return err
	})
	return a, err
}

// tensors are the parameters of the network.
func (a *Amortised) tensors() (all []checkpoint.Tensor) {
	for _, p := range a.net.Layout().Params() {
		weights := a.p[p.Offset : p.Offset+p.Len]
		all = append(all, checkpoint.Tensor{Name: p.Name, Shape: p.Shape, F32: weights})
	}
	return all
}

// errOtherGuess is the error of a guess of other particles.
var errOtherGuess = errors.New("a start for another checkpoint")

// guessKey says which particles a guess belongs to.
func (s *Stored) guessKey() map[string]string {
	meta := s.sampler.Meta()
	return map[string]string{
		"plume": "amortised start", "version": fmt.Sprint(guessVersion),
		"fingerprint": meta.Fingerprint, "step": fmt.Sprint(meta.Step),
	}
}

// readGuess reads the network for the newest checkpoint.
func (s *Stored) readGuess(path string) (*Amortised, error) {
	f, err := checkpoint.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found := f.Metadata()
	for key, want := range s.guessKey() {
		if found[key] != want {
			return nil, errOtherGuess
		}
	}
	if err := f.Verify(context.Background()); err != nil {
		return nil, err
	}
	a, err := s.newAmortised(s.Shape())
	if err != nil {
		return nil, err
	}
	return a, f.Read(a.tensors())
}
