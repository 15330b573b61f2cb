package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/file"
)

// ownShard is what a rank has of the checkpoint under way: a file of its own. A save has three
// parts. Training waits while all ranks write (toSave); they store their files beside the next
// steps (toStore), and say after each step whether they have; then the first one gathers what is in
// meta.json (toGather).
type ownShard struct {
	written *checkpoint.PendingShard // nil: none
	over    chan struct{}            // closed when it is stored or has failed; nil: none
	stored  checkpoint.Shard
	err     error
}

func (s *ownShard) write(
	sys file.System, dir string, rank int, tensors []checkpoint.Tensor,
) (err error) {
	s.drop()
	s.written, err = checkpoint.BeginShard(sys, dir, rank, tensors)
	return err
}

// store begins to store what has been written.
func (s *ownShard) store() {
	w, over := s.written, make(chan struct{})
	s.written, s.over = nil, over
	go func() {
		defer close(over)
		s.stored, s.err = w.Store()
	}()
}

// isStored says that the store under way is over.
func (s *ownShard) isStored() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// wait waits for the store under way, and returns its error.
func (s *ownShard) wait() error {
	<-s.over
	return s.err
}

// drop closes what has been written and is not wanted any more.
func (s *ownShard) drop() {
	if s.over != nil {
		<-s.over
	}
	if s.written != nil {
		_ = s.written.Close() // of a file that nobody reads
	}
	*s = ownShard{}
}

// gathered is the shards of all ranks.
type gathered struct {
	all []checkpoint.Shard
	err error
}

// gather returns the shards of all ranks when these are stored.
func gather(c comm.Comm, every time.Duration, own *ownShard) (all []checkpoint.Shard,
	agreed, broken error) {
	if agreed, broken = comm.Together(c, every/2, own.wait); agreed != nil || broken != nil {
		return nil, agreed, broken
	}
	all, broken = shareAll(c, own.stored)
	return all, nil, broken
}

// shareAll returns what each rank has.
func shareAll[T any](c comm.Comm, own T) (all []T, err error) {
	for rank := range c.Size() {
		s, err := comm.Share(c, own, rank)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// write writes the particles of this rank to the checkpoint under way in dir.
func (f *follower) write(dir string) error {
	tensors := f.t.method.Tensors()
	for _, x := range tensors {
		if x.Of > 0 && !kernel.AllFinite(x.F32) {
			return fmt.Errorf("%s has values that are not finite", x.Name)
		}
	}
	return f.own.write(f.files, dir, f.comm.Rank(), tensors)
}

// shards is what writes those of the tensors of which each rank has a part; nil if there are none.
func (t *Trainer) shards(all []checkpoint.Tensor) func(string) (func() ([]checkpoint.Shard, error),
	error) {
	if !slices.ContainsFunc(all, func(x checkpoint.Tensor) bool { return x.Of > 0 }) {
		return nil
	}
	return t.writeShards
}

// writeShards makes all ranks write their particles to the checkpoint under way in dir.
func (t *Trainer) writeShards(dir string) (stored func() ([]checkpoint.Shard, error), err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	err = t.team.do(order{Do: toSave, Dir: dir}, func() error {
		return t.team.together(func() error {
			return t.team.own.write(t.writer.Files, dir, 0, t.method.Tensors())
		})
	})
	if err != nil {
		return nil, toBeTried(dir, err)
	}
	result := make(chan gathered, 1)
	t.team.written = result
	return func() ([]checkpoint.Shard, error) {
		r := <-result
		return r.all, toBeTried(dir, r.err)
	}, nil
}

// toBeTried makes the failure of another rank's file system one of this rank's, to be tried again.
func toBeTried(dir string, err error) error {
	if elsewhere := (*comm.Elsewhere)(nil); errors.As(err, &elsewhere) {
		return &fs.PathError{Op: "write", Path: dir, Err: elsewhere}
	}
	return err
}

// storeShards makes all ranks store what they have written, if they have.
func (t *Trainer) storeShards() {
	if t.team == nil || t.team.written == nil {
		return
	}
	t.team.storing, t.team.written = t.team.written, nil
	t.team.stored = false
	if err := t.team.do(order{Do: toStore}, func() error {
		t.team.own.store()
		return nil
	}); err != nil {
		t.team.storing <- gathered{err: err}
		t.team.storing = nil
	}
}

// gatherShards tells the checkpoint under way what the ranks have stored, and waits for that.
func (t *Trainer) gatherShards() {
	if t.team == nil || t.team.storing == nil {
		return
	}
	var r gathered
	r.err = t.team.do(order{Do: toGather}, func() (agreed error) {
		r.all, agreed, t.team.err = gather(t.team.comm, t.team.every, &t.team.own)
		return errors.Join(agreed, t.team.err)
	})
	t.team.storing <- r
	t.team.storing = nil
}
